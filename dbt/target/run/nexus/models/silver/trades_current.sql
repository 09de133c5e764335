-- Trades as they stand now: corrected values in place, cancelled trades gone. The last amendment of a trade counts.


with last_amendment as (
    select *
    from (
        select
            *,
            row_number() over (
                partition by symbol, trade_date, exchange, trade_id
                order by ts_ns desc, _received_at desc, _ingest_pos desc, _ingest_idx desc
            ) as rn
        from "silver"."trade_amendments"
    ) as a
    where rn = 1
)

select
    t.symbol,
    coalesce(a.corrected_id, t.trade_id) as trade_id,
    t.exchange,
    coalesce(a.corrected_price, t.price) as price,
    coalesce(a.corrected_size, t.size) as size,
    coalesce(a.corrected_conditions, t.conditions) as conditions,
    t.tape,
    t.ts,
    t.ts_ns,
    t.event_date,
    t.trade_date,
    a.kind is not null as is_amended,
    case when a._known_at > t._known_at then a._known_at else t._known_at end as _known_at
from "silver"."trades" as t
left join last_amendment as a
    on a.symbol = t.symbol
    and a.trade_date = t.trade_date
    and a.exchange = t.exchange
    and a.trade_id = t.trade_id
where a.kind is null or a.kind <> 'cancel'