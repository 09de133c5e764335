
select symbol
from "silver"."bars"
where symbol is null
