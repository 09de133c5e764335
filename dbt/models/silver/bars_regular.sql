-- The bars that sessions are made of: minutes and hours of regular trading (09:30 to the close, 13:00 on half days; an hour bar that holds 09:30
-- starts before it) and the day's own bars, on weekdays, with a start that a right clock can give. ny_close is the minute of the close; quarters
-- counts the quarter hours of the session that the bar covers, quarter numbers the one that it starts in.
{{ config(materialized='view') }}

with dated as (
    select
        *,
        case timeframe when '1Min' then 1 when '1Hour' then 2 else 3 end as grain,
        {{ session_close_minute('session_date') }} as ny_close
    from {{ ref('bars') }}
    where timeframe in ('1Min', '1Hour', '1Day')
        and {{ iso_weekday('session_date') }} <= 5
        and {{ plausible_time('ts', '_received_at') }}
)

select
    symbol,
    grain,
    open,
    high,
    low,
    close,
    volume,
    trade_count,
    vwap,
    ts,
    session_date,
    ny_minute,
    ny_close,
    cast(floor((greatest(ny_minute, 570) - 570) / 15) as integer) as quarter,
    case when grain = 2 then cast(floor((least(ny_minute + 60, ny_close) - greatest(ny_minute, 570)) / 15) as integer) end as quarters,
    _received_at,
    _known_at
from dated
where grain = 3
    or (grain = 1 and ny_minute >= 570 and ny_minute < ny_close)
    or (grain = 2 and ny_minute >= 540 and ny_minute < ny_close)
