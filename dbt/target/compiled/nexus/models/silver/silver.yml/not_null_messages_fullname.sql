
select fullname
from "silver"."messages"
where fullname is null
