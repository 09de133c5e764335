-- The latest state of every asset; dim_symbol keeps its history.


select
    r.symbol,
    r.asset_id,
    r.asset_class,
    r.exchange,
    r.name,
    r.status,
    r.tradable,
    r.marginable,
    r.shortable,
    r.fractionable,
    r.observed_at,
    r._source,
    r._received_at,
    r._known_at,
    r._ingest_pos
from (
    select
        n.*,
        row_number() over (
            partition by symbol
            order by observed_at desc, case when status = 'active' then 0 else 1 end, _received_at desc, _ingest_pos desc, _ingest_idx desc
        ) as rn
    from (
    select b.*
    from "staging"."stg_assets" as b
    
) as n
) as r

where r.rn = 1
