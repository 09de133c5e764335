
select fullname
from "silver"."comments"
where fullname is null
