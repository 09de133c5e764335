-- Talk about a symbol in a subreddit that belongs to a session. Counts are of messages; mean_compound gives one vote to an author (the mean of the
-- author's messages). bullishness = ln((1 + positive) / (1 + negative)) and agreement = 1 - sqrt(1 - B^2), B = (positive - negative) /
-- (positive + negative), after Antweiler and Frank (2004); agreement is null without a polar message.
with votes as (
    select
        symbol,
        session_date,
        subreddit,
        subreddit_key,
        coalesce(nullif(author, '[deleted]'), fullname) as voter,
        sum(compound order by fullname) / count(*) as compound,
        count(*) as messages,
        sum(case when label = 'positive' then 1 else 0 end) as positive,
        sum(case when label = 'negative' then 1 else 0 end) as negative,
        max(known_at) as known_at
    from "gold"."fct_mentions"
    where session_date is not null
    group by symbol, session_date, subreddit, subreddit_key, coalesce(nullif(author, '[deleted]'), fullname)
),

daily as (
    select
        symbol,
        session_date,
        subreddit,
        subreddit_key,
        cast(sum(messages) as bigint) as messages,
        cast(count(*) as bigint) as authors,
        cast(sum(positive) as bigint) as positive,
        cast(sum(negative) as bigint) as negative,
        sum(compound order by voter) / count(*) as mean_compound,
        max(known_at) as known_at
    from votes
    group by symbol, session_date, subreddit, subreddit_key
)

select
    cast(year(a.session_date) * 10000 + month(a.session_date) * 100 + day(a.session_date) as integer) as date_key,
    coalesce(d.symbol_key, -1) as symbol_key,
    a.symbol,
    a.session_date,
    a.subreddit_key,
    a.subreddit,
    a.messages,
    a.authors,
    a.positive,
    a.negative,
    a.messages - a.positive - a.negative as neutral,
    a.mean_compound,
    ln((1.0 + a.positive) / (1.0 + a.negative)) as bullishness,
    case
        when a.positive + a.negative > 0
            then 1.0 - sqrt(greatest(0.0, 1.0 - pow(cast(a.positive - a.negative as double) / cast(a.positive + a.negative as double), 2)))
    end as agreement,
    a.known_at
from daily as a
left join "gold"."dim_symbol" as d
    on d.symbol = a.symbol
    and cast(d.valid_from as date) <= a.session_date
    and cast(d.valid_to as date) > a.session_date