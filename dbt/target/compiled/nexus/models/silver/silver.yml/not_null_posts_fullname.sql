
select fullname
from "silver"."posts"
where fullname is null
