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
    
    left join (select _source, max(_ingest_pos) as pos from "silver"."bars" group by _source) as w
        on w._source = b._source
    where w.pos is null or b._ingest_pos > w.pos
    
) as n
    where adjustment = 'raw'
) as r

left join (select symbol, timeframe, ts, _received_at as newest from "silver"."bars") as t
    on t.symbol = r.symbol
    and t.timeframe = r.timeframe
    and t.ts = r.ts

where r.rn = 1

    and (t.newest is null or r._received_at >= t.newest)
