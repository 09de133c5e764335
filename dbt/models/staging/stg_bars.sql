-- Bars as received, with the New York session and minute that they start in.
select
    symbol,
    timeframe,
    kind,
    adjustment,
    open,
    high,
    low,
    close,
    volume,
    trade_count,
    vwap,
    ts,
    cast({{ ny_time('ts') }} as date) as session_date,
    {{ minute_of_day(ny_time('ts')) }} as ny_minute,
    _source,
    _received_at,
    _known_at,
    _ingest_pos,
    _ingest_idx
from {{ source('bronze', 'bars') }}
