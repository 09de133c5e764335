
select value_field, n_records
from (
    select kind as value_field, count(*) as n_records
    from "silver"."trade_amendments"
    group by kind
) as found
where value_field not in (
    'correction',
    'cancel'
)
