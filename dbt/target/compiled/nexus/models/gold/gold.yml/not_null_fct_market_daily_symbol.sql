
select symbol
from "gold"."fct_market_daily"
where symbol is null
