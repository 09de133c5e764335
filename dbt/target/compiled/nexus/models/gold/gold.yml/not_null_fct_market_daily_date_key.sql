
select date_key
from "gold"."fct_market_daily"
where date_key is null
