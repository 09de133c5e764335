
select date_key
from "gold"."daily_sentiment_impact_on_volatility"
where date_key is null
