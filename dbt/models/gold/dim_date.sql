-- A row a day that the data touches, whole years around it; -1 is the unknown day.
with bounds as (
    select
        cast(cast(year(min(d)) as varchar) || '-01-01' as date) as first_day,
        cast(cast(year(max(d)) as varchar) || '-12-31' as date) as last_day
    from {{ ref('days') }}
),

calendar as (
    {{ days_between('(select first_day from bounds)', '(select last_day from bounds)') }}
)

select
    {{ date_key('c.d') }} as date_key,
    c.d as date,
    cast(year(c.d) as integer) as year,
    cast(quarter(c.d) as integer) as quarter,
    cast(month(c.d) as integer) as month,
    cast(day(c.d) as integer) as day,
    {{ iso_weekday('c.d') }} as iso_weekday,
    {{ iso_weekday('c.d') }} >= 6 as is_weekend,
    coalesce(s.is_session, false) as is_session
from calendar as c
left join {{ ref('days') }} as s on s.d = c.d
union all
select -1, null, null, null, null, null, null, null, false
