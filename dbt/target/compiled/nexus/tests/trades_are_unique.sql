-- A trade is one row in silver, however often it was delivered.
select symbol, trade_date, exchange, trade_id, count(*) as copies
from "silver"."trades"
group by symbol, trade_date, exchange, trade_id
having count(*) > 1