
select session_date
from "gold"."daily_sentiment_impact_on_volatility"
where session_date is null
