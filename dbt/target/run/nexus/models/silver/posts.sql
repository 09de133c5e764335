-- The latest state of every post.


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
    r._ingest_pos
from (
    select
        n.*,
        row_number() over (
            partition by fullname
            order by observed_at desc, _received_at desc, _ingest_pos desc, _ingest_idx desc
        ) as rn
    from (
    select b.*
    from "staging"."stg_posts" as b
    
) as n
) as r

where r.rn = 1
