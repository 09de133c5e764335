{{ config(materialized='ephemeral') }}
select *, upper(name) as shouted from {{ ref('items') }} where id > 0
