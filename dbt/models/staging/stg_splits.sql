-- Splits by the day on which prices change: one row a symbol and day, the newest observation.
-- coalesce() keeps the rates' comparison out of the reader (README: filters on a source).
select symbol, ex_date, old_rate, new_rate, _known_at
from (
    select
        symbol,
        ex_date,
        old_rate,
        new_rate,
        _known_at,
        row_number() over (
            partition by symbol, ex_date
            order by observed_at desc, _ingest_pos desc, _ingest_idx desc
        ) as rn
    from {{ source('bronze', 'corporate_actions') }}
    where action_type in ('forward_split', 'reverse_split')
        and coalesce(old_rate, 0) > 0
        and coalesce(new_rate, 0) > 0
) as s
where rn = 1
