
select subreddit_key
from "gold"."fct_mentions"
where subreddit_key is null
