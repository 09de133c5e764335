-- One row a calendar day from the first to the last that any bar or message names: is it a session, and which session comes at or after it.
-- A session is a day with bars; past the last such day the next weekday stands in until bars tell.


with sessions as (
    select distinct session_date from "silver"."bars"
),

named as (
    select session_date as d from sessions
    union all
    select cast(timezone('America/New_York', created_at) as date) as d from "silver"."posts"
    union all
    select cast(timezone('America/New_York', created_at) as date) as d from "silver"."comments"
),

bounds as (
    select min(d) as first_day, cast(max(d) + 7 as date) as last_day, (select max(session_date) from sessions) as last_session
    from named
),

calendar as (
    select cast(unnest(generate_series((select first_day from bounds), (select last_day from bounds), interval 1 day)) as date) as d
),

marked as (
    select
        c.d,
        s.session_date is not null as is_session,
        case
            when s.session_date is not null then c.d
            when (b.last_session is null or c.d > b.last_session) and cast(isodow(c.d) as integer) <= 5 then c.d
        end as session_or_stand_in
    from calendar as c
    cross join bounds as b
    left join sessions as s on s.session_date = c.d
)

select
    d,
    is_session,
    min(session_or_stand_in) over (order by d rows between current row and unbounded following) as next_session
from marked