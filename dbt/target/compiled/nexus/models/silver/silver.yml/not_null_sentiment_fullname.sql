
select fullname
from "silver"."sentiment"
where fullname is null
