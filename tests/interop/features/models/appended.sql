{{ config(materialized='incremental', incremental_strategy='append') }}
select id, name, changed_at, {{ var('round') }} as round
from {{ ref('items') }}
{% if is_incremental() %}
where changed_at > (select max(changed_at) from {{ this }})
{% endif %}
