
select symbol_key
from "gold"."fct_sentiment_daily"
where symbol_key is null
