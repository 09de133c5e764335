
select d as unique_field, count(*) as n_records
from "silver"."days"
where d is not null
group by d
having count(*) > 1
