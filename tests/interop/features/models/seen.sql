{{ config(materialized='view', tags=['plain']) }}
select i.*, p.day, p.price, p.volume
from {{ ref('inner_items') }} as i
left join {{ ref('prices') }} as p on p.id = i.id
