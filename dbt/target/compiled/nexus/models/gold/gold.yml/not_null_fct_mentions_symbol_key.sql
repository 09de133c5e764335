
select symbol_key
from "gold"."fct_mentions"
where symbol_key is null
