-- One row a symbol and session, from the finest bars that cover it: minutes (returns over 5 minutes) unless hours cover clearly more of its quarter
-- hours (a tenth), else hours, else the day's own bar, which is also taken where bars inside the session cover less than
-- session_coverage_min of it. coverage is the share of quarter hours.
-- realized_volatility is the square root of the sum of squared log returns inside the session, so splits and dividends do not touch it; null where
-- only a day bar is known, and in a session that is over and was covered less than session_coverage_min. A session is complete once its last regular
-- bar, or any later session, is there. return_close is close to close, adjusted for splits; null over more than a week, because what lies between was
-- not loaded. Prices and volumes are exact; returns, volatility and vwap are doubles.
with regular as (
    select * from {{ ref('bars_regular') }}
),

covered as (
    select
        symbol,
        session_date,
        (max(ny_close) - 570) / 15.0 as all_quarters,
        count(distinct case when grain = 1 then quarter end) as minute_quarters,
        coalesce(sum(quarters), 0) as hour_quarters,
        max(
            case
                when grain < 3 then 0
                when cast({{ ny_time('_known_at') }} as date) > session_date then 1
                when cast({{ ny_time('_known_at') }} as date) = session_date and {{ minute_of_day(ny_time('_known_at')) }} >= ny_close then 1
                else 0
            end
        ) as has_final_day
    from regular
    group by symbol, session_date
),

chosen as (
    select
        symbol,
        session_date,
        has_final_day,
        case
            when minute_quarters + hour_quarters = 0 then 3
            when has_final_day = 1 and greatest(minute_quarters, hour_quarters) < {{ var('session_coverage_min') }} * all_quarters then 3
            when minute_quarters * 10 >= hour_quarters * 9 then 1
            else 2
        end as grain,
        minute_quarters,
        hour_quarters,
        all_quarters
    from covered
),

sessions as (
    select
        r.symbol,
        r.session_date,
        r.grain,
        {{ first_by('r.open', 'r.ts') }} as open,
        max(r.high) as high,
        min(r.low) as low,
        {{ last_by('r.close', 'r.ts') }} as close,
        cast(sum(r.volume) as decimal(38, 6)) as volume,
        cast(sum(r.trade_count) as bigint) as trade_count,
        cast(cast(sum({{ notional('r.vwap', 'r.volume') }}) as double) / cast(nullif(sum(case when r.vwap is not null then r.volume end), 0) as double) as double) as vwap,
        max(case r.grain when 1 then f.minute_quarters / f.all_quarters when 2 then f.hour_quarters / f.all_quarters end) as coverage,
        max(case r.grain when 1 then r.ny_minute + 5 when 2 then r.ny_minute + 60 else case when f.has_final_day = 1 then r.ny_close else 0 end end)
        >= max(r.ny_close) as is_closed,
        max(r._known_at) as known_at
    from regular as r
    inner join chosen as f on f.symbol = r.symbol and f.session_date = r.session_date and f.grain = r.grain
    group by r.symbol, r.session_date, r.grain
),

hour_returns as (
    select
        r.symbol,
        r.session_date,
        r.ts,
        ln(cast(r.close as double) / cast(coalesce(lag(r.close) over (partition by r.symbol, r.session_date order by r.ts), r.open) as double)) as return_log
    from regular as r
    inner join chosen as f on f.symbol = r.symbol and f.session_date = r.session_date and f.grain = r.grain
    where r.grain = 2 and r.open > 0 and r.close > 0
),

returns as (
    select i.symbol, i.session_date, i.bucket_start as ts, i.return_log
    from {{ ref('fct_market_intraday') }} as i
    inner join chosen as f on f.symbol = i.symbol and f.session_date = i.session_date and f.grain = 1
    union all
    select symbol, session_date, ts, return_log from hour_returns
),

realized as (
    select
        symbol,
        session_date,
        sqrt({{ ordered_sum('return_log * return_log', 'ts') }}) as realized_volatility,
        cast(count(*) as integer) as rv_bars
    from returns
    group by symbol, session_date
),

with_previous as (
    select
        *,
        case when session_before >= {{ add_days('session_date', -7) }} then close_before end as close_previous,
        case when session_before >= {{ add_days('session_date', -7) }} then session_before end as session_previous,
        case when session_before >= {{ add_days('session_date', -7) }} then known_before end as known_previous
    from (
        select
            s.*,
            lag(s.close) over of_symbol as close_before,
            lag(s.session_date) over of_symbol as session_before,
            lag(s.known_at) over of_symbol as known_before,
            s.is_closed or s.session_date < max(s.session_date) over () as is_complete
        from sessions as s
        window of_symbol as (partition by s.symbol order by s.session_date)
    ) as w
),

split_factor as (
    select
        p.symbol,
        p.session_date,
        exp({{ ordered_sum('ln(cast(x.new_rate as double) / cast(x.old_rate as double))', 'x.ex_date') }}) as factor,
        max(x._known_at) as known_at
    from with_previous as p
    inner join {{ ref('stg_splits') }} as x
        on x.symbol = p.symbol and x.ex_date > p.session_previous and x.ex_date <= p.session_date
    group by p.symbol, p.session_date
)

select
    {{ date_key('p.session_date') }} as date_key,
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
    case when not p.is_complete or p.coverage >= {{ var('session_coverage_min') }} then r.realized_volatility end as realized_volatility,
    r.rv_bars,
    cast(p.coverage as double) as coverage,
    p.is_complete,
    p.known_at,
    case
        when p.close > 0 and p.close_previous > 0 then greatest(p.known_at, p.known_previous, coalesce(f.known_at, p.known_at))
    end as return_known_at
from with_previous as p
left join realized as r on r.symbol = p.symbol and r.session_date = p.session_date
left join split_factor as f on f.symbol = p.symbol and f.session_date = p.session_date
left join {{ ref('dim_symbol') }} as d
    on d.symbol = p.symbol
    and cast(d.valid_from as date) <= p.session_date
    and cast(d.valid_to as date) > p.session_date
