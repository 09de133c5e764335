-- Quotes as received; the feed gives them no key.
select
    symbol,
    bid_exchange,
    bid_price,
    bid_size,
    ask_exchange,
    ask_price,
    ask_size,
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
from "bronze"."quotes"