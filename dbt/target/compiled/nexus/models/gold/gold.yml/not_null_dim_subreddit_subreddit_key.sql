
select subreddit_key
from "gold"."dim_subreddit"
where subreddit_key is null
