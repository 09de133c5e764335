-- The latest state of every post. A post with a new observation is made again from all of its observations, so that the order in which they came
-- to the lake does not matter. _known_at is of the latest observation, score and all; text_known_at of the first one since which title, text and
-- author stand as they do.
{{ config(incremental_strategy='delete+insert', unique_key='fullname') }}

with touched as (
    select distinct fullname from ({{ new_rows(ref('stg_posts')) }}) as n
),

observed as (
    select
        s.*,
        row_number() over (
            partition by s.fullname
            order by s.observed_at desc, s._received_at desc, s._source desc, s._ingest_pos desc, s._ingest_idx desc
        ) as rn,
        concat(coalesce(s.title, ''), '|', coalesce(s.selftext, ''), '|', coalesce(s.author, ''), '|', coalesce(cast(s.is_deleted as {{ dbt.type_string() }}), '')) as content
    from {{ ref('stg_posts') }} as s
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
from observed as r
inner join known as k on k.fullname = r.fullname
where r.rn = 1
