-- One row a trade: the first that was received. Insert-only; corrections and cancels stay beside (trade_amendments, trades_current).


with incoming as (
    
    select b.*
    from "staging"."stg_trades" as b
    

),

ranked as (
    select
        *,
        row_number() over (
            partition by symbol, trade_date, exchange, trade_id
            order by _received_at, _source, _ingest_pos, _ingest_idx
        ) as rn
    from incoming
)

select
    r.symbol,
    r.trade_id,
    r.exchange,
    r.price,
    r.size,
    r.conditions,
    r.tape,
    r.ts,
    r.ts_ns,
    r.event_date,
    r.trade_date,
    r._source,
    r._received_at,
    r._known_at,
    r._ingest_pos,
    r._ingest_idx
from ranked as r

where r.rn = 1
