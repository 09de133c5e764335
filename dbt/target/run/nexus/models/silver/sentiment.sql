-- The score of the latest observation of every message.


select fullname, observed_at, model, model_version, neg, neu, pos, compound, label
from (
    select *, row_number() over (partition by fullname order by observed_at desc, model_version desc) as rn
    from "enrich"."scores"
    where model = 'vader'
) as s
where rn = 1