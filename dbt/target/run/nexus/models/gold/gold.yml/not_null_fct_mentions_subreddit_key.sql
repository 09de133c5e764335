select
  count(*) as failures,
  count(*) != 0 as should_warn,
  count(*) != 0 as should_error
from (

select subreddit_key
from "gold"."fct_mentions"
where subreddit_key is null


) dbt_internal_test