
select trade_id
from "silver"."trades"
where trade_id is null
