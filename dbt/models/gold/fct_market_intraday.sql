-- Regular hours (09:30 to 16:00 New York, 13:00 on half days) in 5-minute buckets from minute bars. return_log is ln(close / close before) inside a session, the first
-- bucket's from its own open; a double, as every return.
with regular as (
    select * from {{ ref('bars_regular') }} where grain = 1
),

buckets as (
    select
        symbol,
        session_date,
        {{ minute_bucket('ts', 5) }} as bucket_start,
        {{ first_by('open', 'ts') }} as open,
        max(high) as high,
        min(low) as low,
        {{ last_by('close', 'ts') }} as close,
        cast(sum(volume) as decimal(38, 6)) as volume,
        cast(sum(trade_count) as bigint) as trade_count,
        max(_known_at) as known_at
    from regular
    group by symbol, session_date, {{ minute_bucket('ts', 5) }}
)

select
    symbol,
    session_date,
    bucket_start,
    open,
    high,
    low,
    close,
    volume,
    trade_count,
    ln(cast(close as double) / cast(coalesce(lag(close) over (partition by symbol, session_date order by bucket_start), open) as double)) as return_log,
    known_at
from buckets
where open > 0 and close > 0
