{{ config(materialized='incremental', unique_key=['symbol', 'trade_id'], incremental_strategy='merge', tags='facts') }}
with base as (
    select * from {{ ref('int_latest') }}
)
select symbol, trade_id, price, size, {{ notional('price', 'size') }} as notional, ts
from base
{% if is_incremental() %}
where ts >= (select max(ts) from {{ this }})
{% endif %}
