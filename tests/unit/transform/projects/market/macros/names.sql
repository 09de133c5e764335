{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ target.schema if custom_schema_name is none else custom_schema_name | trim }}
{%- endmacro %}

{% macro notional(price, size) %}cast({{ price }} as decimal(18,6)) * {{ size }}{% endmacro %}
