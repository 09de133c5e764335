-- The latest state of every comment, made as silver.posts is: from all observations of every comment that has a new one; text_known_at is of the
-- first observation since which text and author stand as they do.
{{ config(incremental_strategy='delete+insert', unique_key='fullname') }}

with touched as (
    select fullname from ({{ new_rows(
        ref('stg_comments'),
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
            md5(concat(coalesce(body, ''), '|', coalesce(author, ''), '|', coalesce(cast(is_deleted as {{ dbt.type_string() }}), ''))) as content
        from {{ ref('stg_comments') }}
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
    r.body,
    r.link_id,
    r.parent_id,
    r.permalink,
    r.score,
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
from {{ ref('stg_comments') }} as r
inner join latest as l
    on l.fullname = r.fullname
    and l.obs._source = r._source
    and l.obs._ingest_pos = r._ingest_pos
    and l.obs._ingest_idx = r._ingest_idx
inner join known as k on k.fullname = r.fullname
