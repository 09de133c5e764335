
select date_key
from "gold"."dim_date"
where date_key is null
