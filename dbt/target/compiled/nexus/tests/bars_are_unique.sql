select symbol, timeframe, ts, count(*) as copies
from "silver"."bars"
group by symbol, timeframe, ts
having count(*) > 1