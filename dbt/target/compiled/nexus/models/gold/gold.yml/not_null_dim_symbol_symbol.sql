
select symbol
from "gold"."dim_symbol"
where symbol is null
