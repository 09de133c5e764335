
select child.from_field
from (
    select symbol_key as from_field
    from "gold"."fct_market_daily"
    where symbol_key is not null
) as child
left join (
    select symbol_key as to_field
    from "gold"."dim_symbol"
) as parent
    on child.from_field = parent.to_field
where parent.to_field is null
