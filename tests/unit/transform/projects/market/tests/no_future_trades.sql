{{ config(severity='warn') }}
select * from {{ ref('stg_trades') }} where day > date '2099-01-01'
