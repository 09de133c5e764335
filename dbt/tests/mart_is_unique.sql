select symbol, session_date, count(*) as copies
from {{ ref('daily_sentiment_impact_on_volatility') }}
group by symbol, session_date
having count(*) > 1
