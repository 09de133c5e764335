-- Trades as they stand now: corrected values in place, cancelled trades gone. The last amendment of a trade counts, then the last one of its
-- replacement, and so on to the end of the chain; a chain that comes back to a trade it has left ends there. Where history holds a replacement as a
-- row of its own, that row stands and the ones before it go.
{{ config(materialized='view') }}

with recursive last_amendment as (
    select
        kind,
        symbol,
        trade_date,
        exchange,
        trade_id,
        corrected_id,
        corrected_price,
        corrected_size,
        corrected_conditions,
        _known_at
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
),

-- every step from every amended trade; left_ids holds the trades that the chain has left behind
chain as (
    select
        symbol,
        trade_date,
        exchange,
        trade_id as first_id,
        1 as step,
        kind,
        coalesce(corrected_id, trade_id) as trade_id,
        corrected_price as price,
        corrected_size as size,
        corrected_conditions as conditions,
        _known_at as known_at,
        concat('|', cast(trade_id as {{ dbt.type_string() }}), '|') as left_ids
    from last_amendment
    union all
    select
        c.symbol,
        c.trade_date,
        c.exchange,
        c.first_id,
        c.step + 1,
        n.kind,
        coalesce(n.corrected_id, n.trade_id),
        coalesce(n.corrected_price, c.price),
        coalesce(n.corrected_size, c.size),
        coalesce(n.corrected_conditions, c.conditions),
        greatest(c.known_at, n._known_at),
        concat(c.left_ids, cast(n.trade_id as {{ dbt.type_string() }}), '|')
    from chain as c
    inner join last_amendment as n
        on n.symbol = c.symbol
        and n.trade_date = c.trade_date
        and n.exchange = c.exchange
        and n.trade_id = c.trade_id
    where c.kind = 'correction'
        and instr(c.left_ids, concat('|', cast(n.trade_id as {{ dbt.type_string() }}), '|')) = 0
),

outcome as (
    select *
    from (
        select *, row_number() over (partition by symbol, trade_date, exchange, first_id order by step desc) as rn
        from chain
    ) as s
    where rn = 1
),

replaced as (
    select distinct c.symbol, c.trade_date, c.exchange, c.first_id
    from chain as c
    inner join {{ ref('trades') }} as x
        on x.symbol = c.symbol
        and x.trade_date = c.trade_date
        and x.exchange = c.exchange
        and x.trade_id = c.trade_id
    where c.trade_id <> c.first_id
)

select
    t.symbol,
    coalesce(o.trade_id, t.trade_id) as trade_id,
    t.exchange,
    coalesce(o.price, t.price) as price,
    coalesce(o.size, t.size) as size,
    coalesce(o.conditions, t.conditions) as conditions,
    t.tape,
    t.ts,
    t.ts_ns,
    t.event_date,
    t.trade_date,
    o.kind is not null as is_amended,
    greatest(t._known_at, coalesce(o.known_at, t._known_at)) as _known_at
from {{ ref('trades') }} as t
left join outcome as o
    on o.symbol = t.symbol
    and o.trade_date = t.trade_date
    and o.exchange = t.exchange
    and o.first_id = t.trade_id
left join replaced as r
    on r.symbol = t.symbol
    and r.trade_date = t.trade_date
    and r.exchange = t.exchange
    and r.first_id = t.trade_id
where coalesce(o.kind, '') <> 'cancel'
    and r.symbol is null
