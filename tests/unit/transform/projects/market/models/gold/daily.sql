select t.symbol, s.lot, count(*) as trades, sum(t.notional) as notional
from {{ ref('fct_trades') }} t
join {{ ref('symbols') }} s using (symbol)
group by all
