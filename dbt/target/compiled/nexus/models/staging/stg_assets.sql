-- Observations of the vendor's asset list.
select
    symbol,
    id as asset_id,
    class as asset_class,
    exchange,
    name,
    status,
    tradable,
    marginable,
    shortable,
    fractionable,
    observed_at,
    _source,
    _received_at,
    _known_at,
    _ingest_pos,
    _ingest_idx
from "bronze"."assets"