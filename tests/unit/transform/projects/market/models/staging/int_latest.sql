{{ config(materialized='ephemeral') }}
select * from {{ ref('stg_trades') }}
qualify row_number() over (partition by symbol, trade_id order by ts desc) = 1
