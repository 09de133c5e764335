
select value_field, n_records
from (
    select source_timeframe as value_field, count(*) as n_records
    from "gold"."fct_market_daily"
    group by source_timeframe
) as found
where value_field not in (
    '1Min',
    '1Hour',
    '1Day'
)
