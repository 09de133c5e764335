
select session_date
from "gold"."fct_market_intraday"
where session_date is null
