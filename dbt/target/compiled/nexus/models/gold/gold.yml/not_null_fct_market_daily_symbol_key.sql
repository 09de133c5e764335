
select symbol_key
from "gold"."fct_market_daily"
where symbol_key is null
