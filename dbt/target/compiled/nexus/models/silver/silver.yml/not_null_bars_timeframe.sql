
select timeframe
from "silver"."bars"
where timeframe is null
