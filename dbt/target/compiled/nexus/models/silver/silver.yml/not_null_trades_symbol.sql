
select symbol
from "silver"."trades"
where symbol is null
