
select bucket_start
from "gold"."fct_market_intraday"
where bucket_start is null
