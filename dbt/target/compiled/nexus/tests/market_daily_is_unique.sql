select symbol, session_date, count(*) as copies
from "gold"."fct_market_daily"
group by symbol, session_date
having count(*) > 1