
select symbol_key
from "gold"."dim_symbol"
where symbol_key is null
