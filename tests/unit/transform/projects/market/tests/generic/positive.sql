{% test positive(model, column_name) %}
select * from {{ model }} where not ({{ column_name }} > {{ var('min_price') }})
{% endtest %}
