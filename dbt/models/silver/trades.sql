-- One row a trade: the first that was received. Insert-only; corrections and cancels stay beside (trade_amendments, trades_current).
{{ config(incremental_strategy='append') }}

with incoming as (
    {{ new_rows(
        ref('stg_trades'),
        't.symbol = b.symbol and t.trade_date = b.trade_date and t.exchange = b.exchange and t.trade_id = b.trade_id'
    ) }}
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
{% if is_incremental() %}
left join {{ this }} as t
    on t.symbol = r.symbol
    and t.trade_date = r.trade_date
    and t.exchange = r.exchange
    and t.trade_id = r.trade_id
{% endif %}
where r.rn = 1
{% if is_incremental() %}
    and t.symbol is null
{% endif %}
