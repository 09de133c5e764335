/* Package "dbt": the macros that every project may call or override, as Jinja text. SQL in DuckDB's spelling (facts: dbt.md section 3).
 * A project overrides one by defining nexus__NAME, duckdb__NAME or default__NAME, or NAME itself. */
#include "transform/dbt_int.h"

/* A macro that dispatches, and its default. decl: parameters with defaults; pass: the same without. */
#define DISPATCHED(name, decl, pass, body)                                                                             \
    "{% macro " name "(" decl ") %}{{ return(adapter.dispatch('" name "', 'dbt')(" pass ")) }}{% endmacro %}\n"        \
    "{% macro default__" name "(" decl ") -%}" body "{%- endmacro %}\n"

const char nx__dbt_builtin_macros[] =
    /* names */
    DISPATCHED("generate_schema_name", "custom_schema_name=none, node=none", "custom_schema_name, node",
               "{%- if custom_schema_name is none -%}{{ target.schema }}{%- else -%}"
               "{{ target.schema }}_{{ custom_schema_name | trim }}{%- endif -%}")
        DISPATCHED("generate_alias_name",
                   "custom_alias_name=none, "
                   "node=none",
                   "custom_alias_name, node",
                   "{%- if custom_alias_name -%}{{ "
                   "custom_alias_name | trim }}{%- "
                   "else -%}{{ node.name }}{%- "
                   "endif -%}") "{% macro "
                                "generate_schema_"
                                "name_for_env("
                                "custom_schema_"
                                "name, node=none) "
                                "-%}"
                                "{%- if "
                                "target.name == "
                                "'prod' and "
                                "custom_schema_"
                                "name is not none "
                                "-%}{{ "
                                "custom_schema_"
                                "name | trim }}"
                                "{%- else -%}{{ "
                                "target.schema "
                                "}}{%- endif "
                                "-%}{%- endmacro "
                                "%}\n"
    /* dates */
    DISPATCHED("date_trunc", "datepart, date", "datepart, date", "date_trunc('{{ datepart }}', {{ date }})") DISPATCHED(
        "dateadd", "datepart, interval, from_date_or_timestamp", "datepart, interval, from_date_or_timestamp",
        "({{ from_date_or_timestamp }} + cast({{ interval }} as bigint) * interval "
        "{% if datepart == 'quarter' %}3 month{% elif datepart == 'week' %}7 day{% else %}1 {{ datepart }}{% endif %})")
        DISPATCHED("datediff", "first_date, second_date, datepart", "first_date, second_date, datepart",
                   "{% if datepart == 'week' %}" /* dbt's weeks begin on Sunday, the engine's on Monday */
                   "date_diff('day', date_trunc('week', ({{ first_date }})::timestamp + interval 1 day), "
                   "date_trunc('week', ({{ second_date }})::timestamp + interval 1 day)) // 7"
                   "{% else %}date_diff('{{ datepart }}', ({{ first_date }})::timestamp, ({{ second_date "
                   "}})::timestamp){% endif %}") DISPATCHED("last_day", "date, datepart", "date, datepart",
                                                            "cast(date_trunc('{{ datepart }}', {{ date }}) + interval "
                                                            "{% if datepart == 'quarter' %}3 month{% elif datepart == "
                                                            "'week' %}7 day{% else %}1 {{ datepart }}{% endif %}"
                                                            " - interval 1 day as date)")
            DISPATCHED("date", "year, month, day", "year, month, day", "make_date({{ year }}, {{ month }}, {{ day }})")
                DISPATCHED("current_timestamp", "", "", "now()")
    /* casts and types */
    DISPATCHED("cast", "field, type", "field, type", "cast({{ field }} as {{ type }})")
        DISPATCHED("safe_cast", "field, type", "field, type", "cast({{ field }} as {{ type }})")
            DISPATCHED("cast_bool_to_text", "field", "field", "cast({{ field }} as varchar)")
                DISPATCHED("type_string", "", "", "varchar") DISPATCHED("type_int", "", "", "int")
                    DISPATCHED("type_bigint", "", "", "bigint") DISPATCHED("type_float", "", "", "float")
                        DISPATCHED("type_numeric", "", "", "numeric(28,6)")
                            DISPATCHED("type_timestamp", "", "", "timestamp")
                                DISPATCHED("type_boolean", "", "", "boolean")
    /* texts */
    DISPATCHED("hash", "field", "field", "md5(cast({{ field }} as varchar))") DISPATCHED("concat", "fields", "fields",
                                                                                         "{{ fields | join(' || ') }}")
        DISPATCHED("split_part", "string_text, delimiter_text, part_number", "string_text, delimiter_text, part_number",
                   "string_split({{ string_text }}, {{ delimiter_text }})[{{ part_number }}]")
            DISPATCHED("length", "expression", "expression", "length({{ expression }})")
                DISPATCHED("position", "substring_text, string_text", "substring_text, string_text",
                           "position({{ substring_text }} in {{ string_text }})")
                    DISPATCHED("replace", "field, old_chars, new_chars", "field, old_chars, new_chars",
                               "replace({{ field }}, {{ old_chars }}, {{ new_chars }})")
                        DISPATCHED("right", "string_text, length_expression", "string_text, length_expression",
                                   "right({{ string_text }}, {{ length_expression }})")
                            DISPATCHED("escape_single_quotes", "expression", "expression",
                                       "{{ expression | replace(\"'\", \"''\") }}")
                                DISPATCHED("string_literal", "value", "value", "'{{ value }}'")
    /* aggregates, arrays, sets */
    DISPATCHED("any_value", "expression", "expression", "arbitrary({{ expression }})")
        DISPATCHED("bool_or", "expression", "expression", "bool_or({{ expression }})") DISPATCHED(
            "listagg", "measure, delimiter_text=\"','\", order_by_clause=none, limit_num=none",
            "measure, delimiter_text, order_by_clause, limit_num",
            "{% if limit_num %}list_aggr((array_agg({{ measure }}{% if order_by_clause %} {{ order_by_clause }}{% "
            "endif %}))"
            "[1:{{ limit_num }}], 'string_agg', {{ delimiter_text }})"
            "{% else %}string_agg({{ measure }}, {{ delimiter_text }}"
            "{% if order_by_clause %} {{ order_by_clause }}{% endif %}){% endif %}")
            DISPATCHED("array_construct", "inputs=[], data_type='int'", "inputs, data_type",
                       "{% if inputs %}[{{ inputs | join(', ') }}]{% else %}cast([] as {{ data_type }}[]){% endif %}")
                DISPATCHED("array_append", "array, new_element", "array, new_element",
                           "list_append({{ array }}, {{ new_element }})")
                    DISPATCHED("array_concat", "array_1, array_2", "array_1, array_2",
                               "list_concat({{ array_1 }}, {{ array_2 }})") DISPATCHED("except", "", "", "except")
                        DISPATCHED("intersect", "", "", "intersect")
                            DISPATCHED("equals", "expr1, expr2", "expr1, expr2", "({{ expr1 }} = {{ expr2 }})")
    /* generic tests: a row is a failure */
    "{% test not_null(model, column_name) %}{{ return(adapter.dispatch('test_not_null', 'dbt')(model, column_name)) "
    "}}{% endtest %}\n"
    "{% macro default__test_not_null(model, column_name) %}\n"
    "select {{ column_name }}\nfrom {{ model }}\nwhere {{ column_name }} is null\n{% endmacro %}\n"
    "{% test unique(model, column_name) %}{{ return(adapter.dispatch('test_unique', 'dbt')(model, column_name)) }}{% "
    "endtest %}\n"
    "{% macro default__test_unique(model, column_name) %}\n"
    "select {{ column_name }} as unique_field, count(*) as n_records\nfrom {{ model }}\n"
    "where {{ column_name }} is not null\ngroup by {{ column_name }}\nhaving count(*) > 1\n{% endmacro %}\n"
    "{% test accepted_values(model, column_name, values, quote=true) %}"
    "{{ return(adapter.dispatch('test_accepted_values', 'dbt')(model, column_name, values, quote)) }}{% endtest %}\n"
    "{% macro default__test_accepted_values(model, column_name, values, quote=true) %}\n"
    "select value_field, n_records\nfrom (\n    select {{ column_name }} as value_field, count(*) as n_records\n"
    "    from {{ model }}\n    group by {{ column_name }}\n) as found\nwhere value_field not in (\n"
    "{%- for value in values %}\n    {% if quote %}'{{ value | string | replace(\"'\", \"''\") }}'{% else %}{{ value "
    "}}{% endif %}"
    "{% if not loop.last %},{% endif %}\n{%- endfor %}\n)\n{% endmacro %}\n"
    "{% test relationships(model, column_name, to, field) %}"
    "{{ return(adapter.dispatch('test_relationships', 'dbt')(model, column_name, to, field)) }}{% endtest %}\n"
    "{% macro default__test_relationships(model, column_name, to, field) %}\n"
    "select child.from_field\nfrom (\n    select {{ column_name }} as from_field\n    from {{ model }}\n"
    "    where {{ column_name }} is not null\n) as child\nleft join (\n    select {{ field }} as to_field\n    from {{ "
    "to }}\n"
    ") as parent\n    on child.from_field = parent.to_field\nwhere parent.to_field is null\n{% endmacro %}\n";
