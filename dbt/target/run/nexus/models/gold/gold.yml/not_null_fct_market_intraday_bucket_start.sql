select
  count(*) as failures,
  count(*) != 0 as should_warn,
  count(*) != 0 as should_error
from (

select bucket_start
from "gold"."fct_market_intraday"
where bucket_start is null


) dbt_internal_test