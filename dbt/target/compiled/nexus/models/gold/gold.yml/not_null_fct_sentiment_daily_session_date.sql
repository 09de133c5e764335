
select session_date
from "gold"."fct_sentiment_daily"
where session_date is null
