-- Minute bars.
{{ config(materialized='view') }}

select symbol, open, high, low, close, volume, trade_count, vwap, ts, session_date, ny_minute, _known_at
from {{ ref('bars') }}
where timeframe = '1Min'
