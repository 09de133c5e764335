
select fullname
from "gold"."fct_mentions"
where fullname is null
