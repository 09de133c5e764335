
select symbol
from "gold"."fct_mentions"
where symbol is null
