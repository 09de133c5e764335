
select fullname as unique_field, count(*) as n_records
from "silver"."messages"
where fullname is not null
group by fullname
having count(*) > 1
