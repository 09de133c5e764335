select
  count(*) as failures,
  count(*) != 0 as should_warn,
  count(*) != 0 as should_error
from (

select symbol
from "gold"."daily_sentiment_impact_on_volatility"
where symbol is null


) dbt_internal_test