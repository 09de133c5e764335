-- Symbols as slowly changing dimension, type 2: a row a version. The first version opens at 1900-01-01, the open one closes at 9999-12-31; -1 is the
-- unknown symbol. Facts join by natural key and day.
with versions as (
    select
        *,
        row_number() over (partition by symbol order by valid_from, version_id) as version_no
    from "silver"."snap_assets"
)

select
    cast('0x' || substr(md5(symbol || '|' || case when version_no = 1 then '1900-01-01' else cast(cast(valid_from as date) as varchar) || '#' || cast(version_no as varchar) end), 1, 15) as bigint) as symbol_key,
    symbol,
    name,
    exchange,
    asset_class,
    status,
    tradable,
    marginable,
    shortable,
    fractionable,
    cast(case when version_no = 1 then timestamp '1900-01-01 00:00:00' else valid_from end as timestamp) as valid_from,
    cast(valid_to as timestamp) as valid_to,
    valid_to >= timestamp '9999-12-31 00:00:00' as is_current
from versions
union all
select
    -1, '?', 'unknown symbol', null, null, null, null, null, null, null,
    cast('1900-01-01' as timestamp), cast('9999-12-31' as timestamp), true