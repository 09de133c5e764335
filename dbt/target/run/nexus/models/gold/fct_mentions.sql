-- One row a message and symbol, with the message's score and session.
select
    m.fullname,
    m.symbol,
    coalesce(d.symbol_key, -1) as symbol_key,
    coalesce(s.subreddit_key, -1) as subreddit_key,
    coalesce(cast(year(g.session_date) * 10000 + month(g.session_date) * 100 + day(g.session_date) as integer), -1) as date_key,
    g.session_date,
    g.kind as message_kind,
    m.kind as mention_kind,
    m.confidence,
    lower(g.subreddit) as subreddit,
    g.author,
    g.created_at,
    e.compound,
    case
        when e.compound >= 0.05 then 'positive'
        when e.compound <= -0.05 then 'negative'
        else 'neutral'
    end as label,
    g._known_at as known_at
from "silver"."mentions" as m
inner join "silver"."messages" as g on g.fullname = m.fullname
inner join "silver"."sentiment" as e on e.fullname = m.fullname
left join "gold"."dim_symbol" as d
    on d.symbol = m.symbol
    and cast(d.valid_from as date) <= g.session_date
    and cast(d.valid_to as date) > g.session_date
left join "gold"."dim_subreddit" as s on s.subreddit = lower(g.subreddit)