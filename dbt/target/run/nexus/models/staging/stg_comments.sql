-- Observations of Reddit comments.
select
    fullname,
    subreddit,
    author,
    body,
    link_id,
    parent_id,
    permalink,
    score,
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
from "bronze"."comments"