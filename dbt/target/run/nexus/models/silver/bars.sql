-- The latest state of every raw bar: an updated bar, or a bar fetched later from history, replaces what the stream said first.


select
    r.symbol,
    r.timeframe,
    r.open,
    r.high,
    r.low,
    r.close,
    r.volume,
    r.trade_count,
    r.vwap,
    r.ts,
    r.session_date,
    r.ny_minute,
    r._source,
    r._received_at,
    r._known_at,
    r._ingest_pos
from (
    select
        n.*,
        row_number() over (
            partition by symbol, timeframe, ts
            order by _received_at desc, _source desc, _ingest_pos desc, _ingest_idx desc
        ) as rn
    from (
    select b.*
    from "staging"."stg_bars" as b
    
) as n
    where adjustment = 'raw'
) as r

where r.rn = 1
