-- The latest state of every asset; dim_symbol keeps its history.
{{ config(incremental_strategy='delete+insert', unique_key='symbol') }}

select
    r.symbol,
    r.asset_id,
    r.asset_class,
    r.exchange,
    r.name,
    r.status,
    r.tradable,
    r.marginable,
    r.shortable,
    r.fractionable,
    r.observed_at,
    r._source,
    r._received_at,
    r._known_at,
    r._ingest_pos
from (
    select
        n.*,
        row_number() over (
            partition by symbol
            order by observed_at desc, case when status = 'active' then 0 else 1 end, _received_at desc, _ingest_pos desc, _ingest_idx desc
        ) as rn
    from ({{ new_rows(
        ref('stg_assets'),
        "t.symbol = b.symbol and (t.observed_at, case when t.status = 'active' then 1 else 0 end, t._received_at, t._ingest_pos)"
        ~ " >= (b.observed_at, case when b.status = 'active' then 1 else 0 end, b._received_at, b._ingest_pos)"
    ) }}) as n
) as r
{% if is_incremental() %}
left join (select symbol, observed_at, status, _received_at, _ingest_pos from {{ this }}) as t
    on t.symbol = r.symbol
{% endif %}
where r.rn = 1
{% if is_incremental() %}
    and (
        t.symbol is null
        or (r.observed_at, case when r.status = 'active' then 1 else 0 end, r._received_at, r._ingest_pos)
        >= (t.observed_at, case when t.status = 'active' then 1 else 0 end, t._received_at, t._ingest_pos)
    )
{% endif %}
