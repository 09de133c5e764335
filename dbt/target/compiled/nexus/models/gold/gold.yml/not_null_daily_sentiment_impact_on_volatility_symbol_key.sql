
select symbol_key
from "gold"."daily_sentiment_impact_on_volatility"
where symbol_key is null
