select symbol, timeframe, ts, count(*) as copies
from {{ ref('bars') }}
group by symbol, timeframe, ts
having count(*) > 1
