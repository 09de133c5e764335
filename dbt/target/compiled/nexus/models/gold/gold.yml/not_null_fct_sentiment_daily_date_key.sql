
select date_key
from "gold"."fct_sentiment_daily"
where date_key is null
