select
  count(*) as failures,
  count(*) != 0 as should_warn,
  count(*) != 0 as should_error
from (

select value_field, n_records
from (
    select mention_kind as value_field, count(*) as n_records
    from "gold"."fct_mentions"
    group by mention_kind
) as found
where value_field not in (
    'cashtag',
    'bare',
    'name'
)


) dbt_internal_test