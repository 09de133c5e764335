-- Low is lowest and high is highest.
select symbol, session_date, open, high, low, close
from "gold"."fct_market_daily"
where low > high or open > high or open < low or close > high or close < low