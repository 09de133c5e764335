select
  count(*) as failures,
  count(*) != 0 as should_warn,
  count(*) != 0 as should_error
from (

select fullname as unique_field, count(*) as n_records
from "silver"."messages"
where fullname is not null
group by fullname
having count(*) > 1


) dbt_internal_test