-- A row a day that the data touches, whole years around it; -1 is the unknown day.
with bounds as (
    select
        cast(cast(year(min(d)) as varchar) || '-01-01' as date) as first_day,
        cast(cast(year(max(d)) as varchar) || '-12-31' as date) as last_day
    from "silver"."days"
),

calendar as (
    select cast(unnest(generate_series((select first_day from bounds), (select last_day from bounds), interval 1 day)) as date) as d
)

select
    cast(year(c.d) * 10000 + month(c.d) * 100 + day(c.d) as integer) as date_key,
    c.d as date,
    cast(year(c.d) as integer) as year,
    cast(quarter(c.d) as integer) as quarter,
    cast(month(c.d) as integer) as month,
    cast(day(c.d) as integer) as day,
    cast(isodow(c.d) as integer) as iso_weekday,
    cast(isodow(c.d) as integer) >= 6 as is_weekend,
    coalesce(s.is_session, false) as is_session
from calendar as c
left join "silver"."days" as s on s.d = c.d
union all
select -1, null, null, null, null, null, null, null, false