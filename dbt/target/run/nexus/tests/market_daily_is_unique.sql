select
  count(*) as failures,
  count(*) != 0 as should_warn,
  count(*) != 0 as should_error
from (
select symbol, session_date, count(*) as copies
from "gold"."fct_market_daily"
group by symbol, session_date
having count(*) > 1

) dbt_internal_test