
select valid_from
from "gold"."dim_symbol"
where valid_from is null
