-- The latest state of every raw bar: an updated bar, or a bar fetched later from history, replaces what the stream said first.
{{ config(
    incremental_strategy='delete+insert',
    unique_key=['symbol', 'timeframe', 'ts']
) }}

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
    from ({{ new_rows(
        ref('stg_bars'),
        't.symbol = b.symbol and t.timeframe = b.timeframe and t.ts = b.ts'
        ~ ' and (t._received_at, t._source, t._ingest_pos) >= (b._received_at, b._source, b._ingest_pos)'
    ) }}) as n
    where adjustment = 'raw'
) as r
{% if is_incremental() %}
left join (select symbol, timeframe, ts, _received_at, _source, _ingest_pos from {{ this }}) as t
    on t.symbol = r.symbol
    and t.timeframe = r.timeframe
    and t.ts = r.ts
{% endif %}
where r.rn = 1
{% if is_incremental() %}
    and (
        t.symbol is null
        or (r._received_at, r._source, r._ingest_pos) >= (t._received_at, t._source, t._ingest_pos)
    )
{% endif %}
