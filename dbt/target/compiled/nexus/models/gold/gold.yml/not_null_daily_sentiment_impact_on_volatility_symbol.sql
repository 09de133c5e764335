
select symbol
from "gold"."daily_sentiment_impact_on_volatility"
where symbol is null
