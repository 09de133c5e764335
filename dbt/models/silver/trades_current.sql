-- Trades as they stand now: corrected values in place, cancelled trades gone. The last amendment of a trade counts; one of its replacement counts
-- after it. Where history holds the replacement as a row of its own, that row stands and the first one goes.
{{ config(materialized='view') }}

with last_amendment as (
    select *
    from (
        select
            *,
            row_number() over (
                partition by symbol, trade_date, exchange, trade_id
                order by ts_ns desc, case when kind = 'correction' then 0 else 1 end, _received_at desc, _ingest_pos desc, _ingest_idx desc
            ) as rn
        from {{ ref('trade_amendments') }}
    ) as a
    where rn = 1
)

select
    t.symbol,
    coalesce(b.corrected_id, a.corrected_id, t.trade_id) as trade_id,
    t.exchange,
    coalesce(b.corrected_price, a.corrected_price, t.price) as price,
    coalesce(b.corrected_size, a.corrected_size, t.size) as size,
    coalesce(b.corrected_conditions, a.corrected_conditions, t.conditions) as conditions,
    t.tape,
    t.ts,
    t.ts_ns,
    t.event_date,
    t.trade_date,
    a.kind is not null as is_amended,
    greatest(t._known_at, coalesce(a._known_at, t._known_at), coalesce(b._known_at, t._known_at)) as _known_at
from {{ ref('trades') }} as t
left join last_amendment as a
    on a.symbol = t.symbol
    and a.trade_date = t.trade_date
    and a.exchange = t.exchange
    and a.trade_id = t.trade_id
left join last_amendment as b
    on b.symbol = t.symbol
    and b.trade_date = t.trade_date
    and b.exchange = t.exchange
    and b.trade_id = a.corrected_id
    and b.trade_id <> t.trade_id
left join {{ ref('trades') }} as x
    on x.symbol = t.symbol
    and x.trade_date = t.trade_date
    and x.exchange = t.exchange
    and x.trade_id = a.corrected_id
    and x.trade_id <> t.trade_id
where coalesce(a.kind, '') <> 'cancel'
    and coalesce(b.kind, '') <> 'cancel'
    and x.trade_id is null
