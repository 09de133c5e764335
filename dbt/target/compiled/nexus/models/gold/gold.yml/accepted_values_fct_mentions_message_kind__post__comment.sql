
select value_field, n_records
from (
    select message_kind as value_field, count(*) as n_records
    from "gold"."fct_mentions"
    group by message_kind
) as found
where value_field not in (
    'post',
    'comment'
)
