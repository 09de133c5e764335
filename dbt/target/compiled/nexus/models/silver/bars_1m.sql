-- Minute bars.


select symbol, open, high, low, close, volume, trade_count, vwap, ts, session_date, ny_minute, _known_at
from "silver"."bars"
where timeframe = '1Min'