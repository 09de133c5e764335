{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- if custom_schema_name is none -%}{{ target.schema }}{%- else -%}{{ custom_schema_name | trim }}{%- endif -%}
{%- endmacro %}

{% macro either(column) -%}
    coalesce({{ column }}{% for v in varargs %}, {{ v }}{% endfor %}{% if kwargs.get('last') %}, '{{ kwargs['last'] }}'{% endif %})
{%- endmacro %}

{% macro wrapped(open='<', close='>') -%}
    '{{ open }}' || {{ caller('name') }} || '{{ close }}'
{%- endmacro %}
