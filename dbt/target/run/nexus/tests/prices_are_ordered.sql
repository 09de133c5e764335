select
  count(*) as failures,
  count(*) != 0 as should_warn,
  count(*) != 0 as should_error
from (
-- Low is lowest and high is highest.
select symbol, session_date, open, high, low, close
from "gold"."fct_market_daily"
where low > high or open > high or open < low or close > high or close < low

) dbt_internal_test