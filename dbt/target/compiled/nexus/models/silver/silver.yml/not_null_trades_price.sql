
select price
from "silver"."trades"
where price is null
