-- One row a calendar day from the first to the last that any bar or message names: is it a session, and which session comes at or after it.
-- A session is a day with bars; past the last such day the next weekday stands in until bars tell.
{{ config(materialized='table') }}

with sessions as (
    select distinct session_date from {{ ref('bars') }}
),

named as (
    select session_date as d from sessions
    union all
    select cast({{ ny_time('created_at') }} as date) as d from {{ ref('posts') }}
    union all
    select cast({{ ny_time('created_at') }} as date) as d from {{ ref('comments') }}
),

bounds as (
    select min(d) as first_day, {{ add_days('max(d)', 7) }} as last_day, (select max(session_date) from sessions) as last_session
    from named
),

calendar as (
    {{ days_between('(select first_day from bounds)', '(select last_day from bounds)') }}
),

marked as (
    select
        c.d,
        s.session_date is not null as is_session,
        case
            when s.session_date is not null then c.d
            when (b.last_session is null or c.d > b.last_session) and {{ iso_weekday('c.d') }} <= 5 then c.d
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
