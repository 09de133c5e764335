
select symbol
from "silver"."quotes"
where symbol is null
