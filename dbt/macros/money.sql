{# Money times a quantity, exact: decimal(18,6) * decimal(18,6) would overflow DuckDB's 18 digits and is widened first. #}
{% macro notional(price, size) %}(cast({{ price }} as decimal(38, 6)) * cast({{ size }} as decimal(38, 6))){% endmacro %}
