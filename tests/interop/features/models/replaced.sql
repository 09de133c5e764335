{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key=['id', 'day']) }}
select id, day, price, volume, cast(price as double) * coalesce(volume, 0) as turnover from {{ ref('prices') }}
