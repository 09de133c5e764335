-- Which symbols the latest observation of every message names: one row a message and symbol, the surest kind of mention.


with latest as (
    select fullname, max(observed_at) as observed_at from "enrich"."scores" group by fullname
),

ranked as (
    select
        m.fullname,
        m.observed_at,
        m.symbol,
        m.kind,
        m.confidence,
        m.span_from,
        m.span_to,
        row_number() over (partition by m.fullname, m.symbol order by m.confidence desc, m.span_from) as rn,
        count(*) over (partition by m.fullname, m.symbol) as times
    from "enrich"."mentions" as m
    inner join latest as l on l.fullname = m.fullname and l.observed_at = m.observed_at
)

select fullname, observed_at, symbol, kind, confidence, span_from, span_to, times
from ranked
where rn = 1