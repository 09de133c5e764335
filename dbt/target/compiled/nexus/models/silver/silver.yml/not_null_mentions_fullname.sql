
select fullname
from "silver"."mentions"
where fullname is null
