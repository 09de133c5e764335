-- Subreddits that messages came from; -1 is the unknown one. Their natural key never changes, so each has one version.
select
    cast('0x' || substr(md5(lower(subreddit) || '|1900-01-01'), 1, 15) as bigint) as subreddit_key,
    lower(subreddit) as subreddit,
    cast('1900-01-01' as timestamp) as valid_from,
    cast('9999-12-31' as timestamp) as valid_to,
    true as is_current
from (
    select subreddit from "silver"."posts"
    union all
    select subreddit from "silver"."comments"
) as s
where subreddit is not null
group by lower(subreddit)
union all
select -1, '?', cast('1900-01-01' as timestamp), cast('9999-12-31' as timestamp), true