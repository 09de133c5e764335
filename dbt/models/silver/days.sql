-- One row a calendar day from the first to the last that a session or a message names: is it a session, and which session comes at or after it.
-- A session is a day with bars of regular trading; messages that a wrong clock dates do not count. Where no session follows within a week (no market
-- ever closed for longer; those bars are still to come or were never loaded) the next weekday stands in.
{{ config(materialized='table') }}

with sessions as (
    select distinct session_date from {{ ref('bars_regular') }}
),

named as (
    select session_date as d from sessions
    union all
    select cast({{ ny_time('created_at') }} as date) as d from {{ ref('posts') }} where {{ plausible_time('created_at', '_received_at') }}
    union all
    select cast({{ ny_time('created_at') }} as date) as d from {{ ref('comments') }} where {{ plausible_time('created_at', '_received_at') }}
),

bounds as (
    select min(d) as first_day, {{ add_days('max(d)', 7) }} as last_day
    from named
),

calendar as (
    {{ days_between('(select first_day from bounds)', '(select last_day from bounds)') }}
),

marked as (
    select
        c.d,
        s.session_date is not null as is_session,
        min(s.session_date) over (order by c.d rows between current row and unbounded following) as session_after,
        min(case when {{ iso_weekday('c.d') }} <= 5 then c.d end)
            over (order by c.d rows between current row and unbounded following) as weekday_after
    from calendar as c
    left join sessions as s on s.session_date = c.d
)

select
    d,
    is_session,
    case when session_after <= {{ add_days('d', 7) }} then session_after else weekday_after end as next_session
from marked
