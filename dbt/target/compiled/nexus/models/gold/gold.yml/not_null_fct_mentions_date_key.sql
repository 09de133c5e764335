
select date_key
from "gold"."fct_mentions"
where date_key is null
