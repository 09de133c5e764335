select
  count(*) as failures,
  count(*) != 0 as should_warn,
  count(*) != 0 as should_error
from (

select fullname
from "silver"."mentions"
where fullname is null


) dbt_internal_test