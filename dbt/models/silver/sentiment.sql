-- The score of the latest observation of every message.
{{ config(materialized='view') }}

select fullname, observed_at, model, model_version, neg, neu, pos, compound, label
from (
    select *, row_number() over (partition by fullname order by observed_at desc, model_version desc) as rn
    from {{ source('enrich', 'scores') }}
    where model = '{{ var("sentiment_model") }}'
) as s
where rn = 1
