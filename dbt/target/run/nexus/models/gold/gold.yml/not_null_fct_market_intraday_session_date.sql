select
  count(*) as failures,
  count(*) != 0 as should_warn,
  count(*) != 0 as should_error
from (

select session_date
from "gold"."fct_market_intraday"
where session_date is null


) dbt_internal_test