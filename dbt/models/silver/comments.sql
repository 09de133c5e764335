-- The latest state of every comment, made as silver.posts is: from all observations of every comment that has a new one; text_known_at is of the
-- first observation since which text and author stand as they do.
{{ config(incremental_strategy='delete+insert', unique_key='fullname') }}

with touched as (
    select distinct fullname from ({{ new_rows(ref('stg_comments')) }}) as n
),

observed as (
    select
        s.*,
        row_number() over (
            partition by s.fullname
            order by s.observed_at desc, s._received_at desc, s._source desc, s._ingest_pos desc, s._ingest_idx desc
        ) as rn,
        concat(coalesce(s.body, ''), '|', coalesce(s.author, ''), '|', coalesce(cast(s.is_deleted as {{ dbt.type_string() }}), '')) as content
    from {{ ref('stg_comments') }} as s
    inner join touched as t on t.fullname = s.fullname
),

-- how far back from the latest observation the content is the same
unchanged as (
    select
        *,
        max(case when content is distinct from latest_content then 1 else 0 end) over (partition by fullname order by rn) as changed
    from (select *, first_value(content) over (partition by fullname order by rn) as latest_content from observed) as o
),

known as (
    select fullname, min(_known_at) as text_known_at from unchanged where changed = 0 group by fullname
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
from observed as r
inner join known as k on k.fullname = r.fullname
where r.rn = 1
