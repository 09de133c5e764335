
select is_current
from "gold"."dim_symbol"
where is_current is null
