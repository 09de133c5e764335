-- One row a symbol and session, from the finest bars that the session has: minutes (returns over 5 minutes), else hours, else the day's own bar.
-- realized_volatility is the square root of the sum of squared log returns inside the session, so splits and dividends do not touch it; null where
-- only a day bar is known. A session is complete once its last regular bar, or any later session, is there. return_close is close to close, adjusted for splits. Prices and volumes are exact; returns, volatility and vwap are doubles.
with regular as (
    select
        *,
        case timeframe when '1Min' then 1 when '1Hour' then 2 when '1Day' then 3 end as grain
    from "silver"."bars"
    where (timeframe = '1Min' and ny_minute >= 570 and ny_minute < 960)
        or (timeframe = '1Hour' and ny_minute >= 540 and ny_minute < 960)
        or timeframe = '1Day'
),

finest as (
    select symbol, session_date, min(grain) as grain from regular group by symbol, session_date
),

sessions as (
    select
        r.symbol,
        r.session_date,
        r.grain,
        arg_min(r.open, r.ts) as open,
        max(r.high) as high,
        min(r.low) as low,
        arg_max(r.close, r.ts) as close,
        cast(sum(r.volume) as decimal(38, 6)) as volume,
        cast(sum(r.trade_count) as bigint) as trade_count,
        cast(cast(sum((cast(r.vwap as decimal(38, 6)) * cast(r.volume as decimal(38, 6)))) as double) / cast(nullif(sum(case when r.vwap is not null then r.volume end), 0) as double) as double) as vwap,
        max(r.ny_minute) as last_minute,
        max(r._known_at) as known_at
    from regular as r
    inner join finest as f on f.symbol = r.symbol and f.session_date = r.session_date and f.grain = r.grain
    group by r.symbol, r.session_date, r.grain
),

hour_returns as (
    select
        r.symbol,
        r.session_date,
        r.ts,
        ln(cast(r.close as double) / cast(coalesce(lag(r.close) over (partition by r.symbol, r.session_date order by r.ts), r.open) as double)) as return_log
    from regular as r
    inner join finest as f on f.symbol = r.symbol and f.session_date = r.session_date and f.grain = r.grain
    where r.grain = 2 and r.open > 0 and r.close > 0
),

returns as (
    select i.symbol, i.session_date, i.bucket_start as ts, i.return_log
    from "gold"."fct_market_intraday" as i
    inner join finest as f on f.symbol = i.symbol and f.session_date = i.session_date and f.grain = 1
    union all
    select symbol, session_date, ts, return_log from hour_returns
),

realized as (
    select
        symbol,
        session_date,
        sqrt(sum(return_log * return_log order by ts)) as realized_volatility,
        cast(count(*) as integer) as rv_bars
    from returns
    group by symbol, session_date
),

with_previous as (
    select
        s.*,
        lag(s.close) over (partition by s.symbol order by s.session_date) as close_previous,
        lag(s.session_date) over (partition by s.symbol order by s.session_date) as session_previous,
        s.session_date < max(s.session_date) over ()
        or s.last_minute >= case s.grain when 1 then 955 when 2 then 900 else 0 end as is_complete
    from sessions as s
),

split_factor as (
    select
        p.symbol,
        p.session_date,
        exp(sum(ln(cast(x.new_rate as double) / cast(x.old_rate as double)) order by x.ex_date)) as factor
    from with_previous as p
    inner join "staging"."stg_splits" as x
        on x.symbol = p.symbol and x.ex_date > p.session_previous and x.ex_date <= p.session_date
    group by p.symbol, p.session_date
)

select
    cast(year(p.session_date) * 10000 + month(p.session_date) * 100 + day(p.session_date) as integer) as date_key,
    coalesce(d.symbol_key, -1) as symbol_key,
    p.symbol,
    p.session_date,
    case p.grain when 1 then '1Min' when 2 then '1Hour' else '1Day' end as source_timeframe,
    p.open,
    p.high,
    p.low,
    p.close,
    p.volume,
    p.trade_count,
    p.vwap,
    case
        when p.close > 0 and p.close_previous > 0
            then ln(cast(p.close as double) * coalesce(f.factor, 1.0) / cast(p.close_previous as double))
    end as return_close,
    r.realized_volatility,
    r.rv_bars,
    p.is_complete,
    p.known_at
from with_previous as p
left join realized as r on r.symbol = p.symbol and r.session_date = p.session_date
left join split_factor as f on f.symbol = p.symbol and f.session_date = p.session_date
left join "gold"."dim_symbol" as d
    on d.symbol = p.symbol
    and cast(d.valid_from as date) <= p.session_date
    and cast(d.valid_to as date) > p.session_date