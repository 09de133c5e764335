select
  count(*) as failures,
  count(*) != 0 as should_warn,
  count(*) != 0 as should_error
from (

select timeframe
from "silver"."bars"
where timeframe is null


) dbt_internal_test