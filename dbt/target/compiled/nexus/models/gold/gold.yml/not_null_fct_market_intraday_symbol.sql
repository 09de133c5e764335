
select symbol
from "gold"."fct_market_intraday"
where symbol is null
