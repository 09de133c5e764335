
select subreddit
from "gold"."dim_subreddit"
where subreddit is null
