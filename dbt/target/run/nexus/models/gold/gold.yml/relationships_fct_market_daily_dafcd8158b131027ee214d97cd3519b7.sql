select
  count(*) as failures,
  count(*) != 0 as should_warn,
  count(*) != 0 as should_error
from (

select child.from_field
from (
    select date_key as from_field
    from "gold"."fct_market_daily"
    where date_key is not null
) as child
left join (
    select date_key as to_field
    from "gold"."dim_date"
) as parent
    on child.from_field = parent.to_field
where parent.to_field is null


) dbt_internal_test