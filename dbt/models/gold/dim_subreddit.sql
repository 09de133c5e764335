-- Subreddits that messages came from; -1 is the unknown one. Their natural key never changes, so each has one version.
select
    {{ hash_key("lower(subreddit) || '|1900-01-01'") }} as subreddit_key,
    lower(subreddit) as subreddit,
    cast('1900-01-01' as timestamp) as valid_from,
    cast('9999-12-31' as timestamp) as valid_to,
    true as is_current
from (
    select subreddit from {{ ref('posts') }}
    union all
    select subreddit from {{ ref('comments') }}
) as s
where subreddit is not null
group by lower(subreddit)
union all
select -1, '?', cast('1900-01-01' as timestamp), cast('9999-12-31' as timestamp), true
