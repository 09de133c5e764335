-- Posts and comments in one form, deleted ones and those of machines left out, each with the session that it belongs to: a message from 16:00 New
-- York on counts for the next day, and the first session at or after that day takes it.


with everything as (
    select 'post' as kind, fullname, subreddit, author, created_at, observed_at, is_deleted, _known_at
    from "silver"."posts"
    union all
    select 'comment' as kind, fullname, subreddit, author, created_at, observed_at, is_deleted, _known_at
    from "silver"."comments"
),

dated as (
    select
        *,
        cast(cast(timezone('America/New_York', created_at) as date) + case when (extract(hour from timezone('America/New_York', created_at)) * 60 + extract(minute from timezone('America/New_York', created_at))) >= 960 then 1 else 0 end as date) as market_date
    from everything
    where not coalesce(is_deleted, false)
        and coalesce(author, '') not in ('AutoModerator')
)

select m.kind, m.fullname, m.subreddit, m.author, m.created_at, m.observed_at, m.market_date, d.next_session as session_date, m._known_at
from dated as m
left join "silver"."days" as d on d.d = m.market_date