-- Corrections and cancels in one form: which trade, and what became of it.
select
    'correction' as kind,
    symbol,
    exchange,
    original_id as trade_id,
    corrected_id,
    corrected_price,
    corrected_size,
    corrected_conditions,
    cast(timezone('America/New_York', ts) as date) as trade_date,
    ts,
    ts_ns,
    _source,
    _received_at,
    _known_at,
    _ingest_pos,
    _ingest_idx
from "bronze"."corrections"
union all
select
    'cancel' as kind,
    symbol,
    exchange,
    trade_id,
    null as corrected_id,
    null as corrected_price,
    null as corrected_size,
    null as corrected_conditions,
    cast(timezone('America/New_York', ts) as date) as trade_date,
    ts,
    ts_ns,
    _source,
    _received_at,
    _known_at,
    _ingest_pos,
    _ingest_idx
from "bronze"."cancels"