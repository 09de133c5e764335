-- Does what people say today move tomorrow's volatility? One row a symbol and session: talk beside realized volatility before, on and after the day.
-- "Impact" is conditional association, not cause. realized_volatility_next and volatility_change look ahead: targets, never features.
-- abnormal_attention = (ln(1 + messages) - mean) / deviation, both over the sessions before ({{ var('attention_sessions') }} at most).
-- A session that is still open is no target and in no pair; nor are sessions more than a week apart, because what lies between was not loaded.
-- trailing_correlation pairs a session's abnormal attention with the next session's realized volatility, over pairs complete by this session's close.
-- Sessions before the first one with any message have no attention: nobody listened. known_at is of the last of all rows that the features use,
-- those of the sessions before included: nothing in them was unknown then.
with listening as (
    select min(session_date) as since from {{ ref('messages') }}
),

talk as (
    select
        symbol,
        session_date,
        sum(messages) as messages,
        sum(positive) as positive,
        sum(negative) as negative,
        max(known_at) as known_at
    from {{ ref('fct_sentiment_daily') }}
    group by symbol, session_date
),

votes as (
    select symbol, session_date, coalesce(nullif(author, '[deleted]'), fullname) as voter, {{ ordered_sum('compound', 'fullname') }} / count(*) as compound
    from {{ ref('fct_mentions') }}
    where session_date is not null
    group by symbol, session_date, coalesce(nullif(author, '[deleted]'), fullname)
),

voters as (
    select symbol, session_date, count(*) as authors, {{ ordered_sum('compound', 'voter') }} / count(*) as mean_compound
    from votes
    group by symbol, session_date
),

joined as (
    select
        m.symbol,
        m.session_date,
        m.date_key,
        m.symbol_key,
        cast(coalesce(t.messages, 0) as bigint) as messages,
        cast(coalesce(v.authors, 0) as bigint) as authors,
        v.mean_compound,
        ln((1.0 + coalesce(t.positive, 0)) / (1.0 + coalesce(t.negative, 0))) as bullishness,
        case when m.session_date >= l.since then ln(1.0 + coalesce(t.messages, 0)) end as attention,
        m.realized_volatility,
        case
            when lag(m.session_date) over of_symbol >= {{ add_days('m.session_date', -7) }} then lag(m.realized_volatility) over of_symbol
        end as realized_volatility_prev,
        case
            when lead(m.session_date) over of_symbol <= {{ add_days('m.session_date', 7) }}
                then lead(case when m.is_complete then m.realized_volatility end) over of_symbol
        end as realized_volatility_next,
        m.is_complete,
        case when t.known_at > m.known_at then t.known_at else m.known_at end as known_at
    from {{ ref('fct_market_daily') }} as m
    cross join listening as l
    left join talk as t on t.symbol = m.symbol and t.session_date = m.session_date
    left join voters as v on v.symbol = m.symbol and v.session_date = m.session_date
    window of_symbol as (partition by m.symbol order by m.session_date)
),

attention as (
    select
        *,
        case
            when count(attention) over before >= {{ var('attention_sessions_min') }} and stddev_samp(attention) over before > 1e-9
                then (attention - avg(attention) over before) / stddev_samp(attention) over before
        end as abnormal_attention
    from joined
    window before as (
        partition by symbol order by session_date
        rows between {{ var('attention_sessions') }} preceding and 1 preceding
    )
),

paired as (
    select
        *,
        case
            when is_complete and realized_volatility is not null and lag(session_date) over of_symbol >= {{ add_days('session_date', -7) }}
                then lag(abnormal_attention) over of_symbol
        end as attention_before
    from attention
    window of_symbol as (partition by symbol order by session_date)
),

correlated as (
    select
        *,
        cast(count(attention_before) over past as integer) as n_trailing,
        case
            when count(attention_before) over past >= {{ var('correlation_pairs_min') }}
                then corr(realized_volatility, attention_before) over past
        end as correlation
    from paired
    window past as (
        partition by symbol order by session_date
        rows between {{ var('correlation_sessions') - 1 }} preceding and current row
    )
)

select
    date_key,
    symbol_key,
    symbol,
    session_date,
    messages,
    authors,
    mean_compound,
    bullishness,
    abnormal_attention,
    realized_volatility,
    realized_volatility_prev,
    realized_volatility_next,
    realized_volatility_next - realized_volatility as volatility_change,
    case when not isnan(correlation) then correlation end as trailing_correlation,
    n_trailing,
    max(known_at) over (
        partition by symbol order by session_date
        rows between {{ var('correlation_sessions') + var('attention_sessions') }} preceding and current row
    ) as known_at
from correlated
