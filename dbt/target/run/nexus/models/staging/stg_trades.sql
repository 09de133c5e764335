-- Trades as received; a trade id is unique for a symbol, New York day and exchange.
select
    symbol,
    trade_id,
    exchange,
    price,
    size,
    conditions,
    tape,
    ts,
    ts_ns,
    event_date,
    cast(timezone('America/New_York', ts) as date) as trade_date,
    _source,
    _received_at,
    _known_at,
    _ingest_pos,
    _ingest_idx
from "bronze"."trades"