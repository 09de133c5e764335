
select valid_to
from "gold"."dim_symbol"
where valid_to is null
