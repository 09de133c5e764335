select * from {{ ref('prices') }} where price < 0
