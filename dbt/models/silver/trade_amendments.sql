-- Corrections and cancels, insert-only. They come from tables that are committed one after the other, so a highest position would skip what is
-- committed late: each row is looked up.
{{ config(incremental_strategy='append') }}

select b.*
from {{ ref('stg_trade_amendments') }} as b
{% if is_incremental() %}
left join {{ this }} as t
    on t.kind = b.kind
    and t._source = b._source
    and t._ingest_pos = b._ingest_pos
    and t._ingest_idx = b._ingest_idx
where t.kind is null
{% endif %}
