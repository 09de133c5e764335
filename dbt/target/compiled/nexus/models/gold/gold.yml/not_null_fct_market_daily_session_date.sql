
select session_date
from "gold"."fct_market_daily"
where session_date is null
