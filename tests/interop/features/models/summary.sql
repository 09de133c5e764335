select
    m.colour,
    count(*) as n,
    sum(m.weight) as weight,
    stddev_samp(m.weight) as spread,
    max(r.day) as last_day,
    sum(r.price) as prices,
    cast(max(a.changed_at) as timestamp) as changed_at,
    list(m.id order by m.id) as ids
from {{ ref('merged') }} as m
left join {{ ref('replaced') }} as r on r.id = m.id
left join {{ ref('appended') }} as a on a.id = m.id
group by m.colour
