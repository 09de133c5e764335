-- The versions of a symbol follow each other without gap or overlap, and exactly the last one is open.
select symbol, valid_from, valid_to
from (
    select
        symbol,
        valid_from,
        valid_to,
        is_current,
        lead(valid_from) over (partition by symbol order by valid_from) as next_from
    from "gold"."dim_symbol"
) as v
where valid_to <= valid_from
    or (next_from is null) <> is_current
    or (next_from is not null and next_from <> valid_to)