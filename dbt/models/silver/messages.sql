-- Posts and comments in one form, deleted ones and those of machines left out, each with the session that it belongs to: a message from 16:00 New
-- York on counts for the next day, and the first session at or after that day takes it. What a wrong clock dates has no session.
{{ config(materialized='view') }}

with everything as (
    select 'post' as kind, fullname, subreddit, author, created_at, observed_at, is_deleted, _received_at, text_known_at, _known_at
    from {{ ref('posts') }}
    union all
    select 'comment' as kind, fullname, subreddit, author, created_at, observed_at, is_deleted, _received_at, text_known_at, _known_at
    from {{ ref('comments') }}
),

dated as (
    select
        *,
        {{ add_days(
            'cast(' ~ ny_time('created_at') ~ ' as date)',
            'case when ' ~ minute_of_day(ny_time('created_at')) ~ ' >= 960 then 1 else 0 end'
        ) }} as market_date
    from everything
    where not coalesce(is_deleted, false)
        {%- if var('ignored_authors') %}
        and coalesce(author, '') not in ({% for a in var('ignored_authors') %}'{{ a | replace("'", "''") }}'{{ ', ' if not loop.last }}{% endfor %})
        {%- endif %}
)

select
    m.kind,
    m.fullname,
    m.subreddit,
    m.author,
    m.created_at,
    m.observed_at,
    m.market_date,
    d.next_session as session_date,
    -- null in rows that were built before the column was there
    coalesce(m.text_known_at, m._known_at) as _known_at
from dated as m
left join {{ ref('days') }} as d
    on d.d = m.market_date
    and {{ plausible_time('m.created_at', 'm._received_at') }}
