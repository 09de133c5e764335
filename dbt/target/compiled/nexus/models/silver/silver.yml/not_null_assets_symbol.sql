
select symbol
from "silver"."assets"
where symbol is null
