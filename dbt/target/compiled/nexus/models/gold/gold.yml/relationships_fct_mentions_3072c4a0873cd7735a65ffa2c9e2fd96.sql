
select child.from_field
from (
    select subreddit_key as from_field
    from "gold"."fct_mentions"
    where subreddit_key is not null
) as child
left join (
    select subreddit_key as to_field
    from "gold"."dim_subreddit"
) as parent
    on child.from_field = parent.to_field
where parent.to_field is null
