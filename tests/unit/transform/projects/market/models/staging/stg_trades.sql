select symbol, trade_id, price, size, ts, cast(ts as date) as day
from {{ source('bronze', 'trades') }}
where price > {{ var('min_price') }}
