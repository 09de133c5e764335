-- Observations of Reddit posts.
select
    fullname,
    subreddit,
    author,
    title,
    selftext,
    permalink,
    score,
    upvote_ratio,
    num_comments,
    edited_at,
    created_at,
    observed_at,
    is_deleted,
    removed_by,
    _source,
    _received_at,
    _known_at,
    _ingest_pos,
    _ingest_idx
from "bronze"."posts"