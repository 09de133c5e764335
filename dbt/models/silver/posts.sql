-- The latest state of every post. A post with a new observation is made again from all of its observations, so that the order in which they came
-- to the lake does not matter. _known_at is of the latest observation, score and all; text_known_at of the first one since which title, text and
-- author stand as they do.
{{ config(incremental_strategy='delete+insert', unique_key='fullname') }}

with touched as (
    select fullname from ({{ new_rows(
        ref('stg_posts'),
        't.fullname = b.fullname'
        ~ ' and (t.observed_at, t._received_at, t._source, t._ingest_pos) >= (b.observed_at, b._received_at, b._source, b._ingest_pos)'
    ) }}) as n
),

-- aggregates of narrow rows, no window: that would take 256 MB and more for a year's talk about one symbol
seen as (
    select fullname, {{ struct_of(['observed_at', '_received_at', '_source', '_ingest_pos', '_ingest_idx', 'content']) }} as obs, _known_at
    from (
        select
            *,
            md5(concat(coalesce(title, ''), '|', coalesce(selftext, ''), '|', coalesce(author, ''), '|', coalesce(cast(is_deleted as {{ dbt.type_string() }}), ''))) as content
        from {{ ref('stg_posts') }}
        where fullname in (select fullname from touched)
    ) as s
),

latest as (
    select fullname, max(obs) as obs from seen group by fullname
),

-- the newest observation with another content
changed as (
    select s.fullname, max(s.obs) as obs
    from seen as s
    inner join latest as l on l.fullname = s.fullname
    where s.obs.content <> l.obs.content
    group by s.fullname
),

known as (
    select s.fullname, min(s._known_at) as text_known_at
    from seen as s
    left join changed as c on c.fullname = s.fullname
    where c.obs is null or s.obs > c.obs
    group by s.fullname
)

select
    r.fullname,
    r.subreddit,
    r.author,
    r.title,
    r.selftext,
    r.permalink,
    r.score,
    r.upvote_ratio,
    r.num_comments,
    r.edited_at,
    r.created_at,
    r.observed_at,
    r.is_deleted,
    r.removed_by,
    r._source,
    r._received_at,
    r._known_at,
    r._ingest_pos,
    k.text_known_at
from {{ ref('stg_posts') }} as r
inner join latest as l
    on l.fullname = r.fullname
    and l.obs._source = r._source
    and l.obs._ingest_pos = r._ingest_pos
    and l.obs._ingest_idx = r._ingest_idx
inner join known as k on k.fullname = r.fullname
