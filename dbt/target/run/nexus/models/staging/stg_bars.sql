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
    cast(timezone('America/New_York', ts) as date) as session_date,
    (extract(hour from timezone('America/New_York', ts)) * 60 + extract(minute from timezone('America/New_York', ts))) as ny_minute,
    _source,
    _received_at,
    _known_at,
    _ingest_pos,
    _ingest_idx
from "bronze"."bars"