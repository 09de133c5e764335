select
  count(*) as failures,
  count(*) != 0 as should_warn,
  count(*) != 0 as should_error
from (
-- Every mention with a session is counted once in the daily fact.
select f.n, d.n as daily
from (select count(*) as n from "gold"."fct_mentions" where session_date is not null) as f
cross join (select coalesce(sum(messages), 0) as n from "gold"."fct_sentiment_daily") as d
where f.n <> d.n

) dbt_internal_test