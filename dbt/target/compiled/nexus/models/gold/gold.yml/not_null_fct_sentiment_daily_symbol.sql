
select symbol
from "gold"."fct_sentiment_daily"
where symbol is null
