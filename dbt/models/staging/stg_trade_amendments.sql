-- Corrections and cancels in one form: which trade, and what became of it. The stream sends them as messages of their own; history marks the trade
-- itself: canceled, incorrect (another row replaced it), corrected (it is the replacement).
select
    'correction' as kind,
    symbol,
    exchange,
    original_id as trade_id,
    corrected_id,
    corrected_price,
    corrected_size,
    corrected_conditions,
    cast({{ ny_time('ts') }} as date) as trade_date,
    ts,
    ts_ns,
    _source,
    _received_at,
    _known_at,
    _ingest_pos,
    _ingest_idx
from {{ source('bronze', 'corrections') }}
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
    cast({{ ny_time('ts') }} as date) as trade_date,
    ts,
    ts_ns,
    _source,
    _received_at,
    _known_at,
    _ingest_pos,
    _ingest_idx
from {{ source('bronze', 'cancels') }}
union all
select
    case when update_status = 'corrected' then 'correction' else 'cancel' end as kind,
    symbol,
    exchange,
    trade_id,
    case when update_status = 'corrected' then trade_id end as corrected_id,
    case when update_status = 'corrected' then price end as corrected_price,
    case when update_status = 'corrected' then size end as corrected_size,
    case when update_status = 'corrected' then conditions end as corrected_conditions,
    cast({{ ny_time('ts') }} as date) as trade_date,
    ts,
    ts_ns,
    _source,
    _received_at,
    _known_at,
    _ingest_pos,
    _ingest_idx
from {{ source('bronze', 'trades') }}
where coalesce(update_status, '') in ('canceled', 'incorrect', 'corrected')
