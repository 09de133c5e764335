/* Package "dbt": the macros that every project may call or override, as Jinja text. SQL in DuckDB's spelling (facts: dbt.md section 3).
 * A project overrides one by defining nexus__NAME, duckdb__NAME or default__NAME, or NAME itself. */
#include "transform/dbt_int.h"

/* Macros that dispatch: NAME calls the most special of the implementations, the default here. args are the parameters without their
 * defaults; NULL: params has none. */
static const struct {
    const char *name, *params, *args, *body;
} dispatched[] = {
    /* names */
    {"generate_schema_name", "custom_schema_name=none, node=none", "custom_schema_name, node",
     "{%- if custom_schema_name is none -%}{{ target.schema }}{%- else -%}"
     "{{ target.schema }}_{{ custom_schema_name | trim }}{%- endif -%}"},
    {"generate_alias_name", "custom_alias_name=none, node=none", "custom_alias_name, node",
     "{%- if custom_alias_name -%}{{ custom_alias_name | trim }}{%- else -%}{{ node.name }}{%- endif -%}"},
    /* dates */
    {"date_trunc", "datepart, date", NULL, "date_trunc('{{ datepart }}', {{ date }})"},
    {"dateadd", "datepart, interval, from_date_or_timestamp", NULL,
     "({{ from_date_or_timestamp }} + cast({{ interval }} as bigint) * interval "
     "{% if datepart == 'quarter' %}3 month{% elif datepart == 'week' %}7 day{% else %}1 {{ datepart }}{% endif %})"},
    /* dbt's weeks begin on Sunday, the engine's on Monday */
    {"datediff", "first_date, second_date, datepart", NULL,
     "{% if datepart == 'week' %}"
     "date_diff('day', date_trunc('week', ({{ first_date }})::timestamp + interval 1 day), date_trunc('week', "
     "({{ second_date }})::timestamp + interval 1 day)) // 7"
     "{% else %}date_diff('{{ datepart }}', ({{ first_date }})::timestamp, ({{ second_date }})::timestamp)"
     "{% endif %}"},
    {"last_day", "date, datepart", NULL,
     "cast(date_trunc('{{ datepart }}', {{ date }}) + interval {% if datepart == 'quarter' %}3 month"
     "{% elif datepart == 'week' %}7 day{% else %}1 {{ datepart }}{% endif %} - interval 1 day as date)"},
    {"date", "year, month, day", NULL, "make_date({{ year }}, {{ month }}, {{ day }})"},
    {"current_timestamp", "", NULL, "now()"},
    /* casts and types */
    {"cast", "field, type", NULL, "cast({{ field }} as {{ type }})"},
    {"safe_cast", "field, type", NULL, "cast({{ field }} as {{ type }})"},
    {"cast_bool_to_text", "field", NULL, "cast({{ field }} as varchar)"},
    {"type_string", "", NULL, "varchar"},
    {"type_int", "", NULL, "int"},
    {"type_bigint", "", NULL, "bigint"},
    {"type_float", "", NULL, "float"},
    {"type_numeric", "", NULL, "numeric(28,6)"},
    {"type_timestamp", "", NULL, "timestamp"},
    {"type_boolean", "", NULL, "boolean"},
    /* texts */
    {"hash", "field", NULL, "md5(cast({{ field }} as varchar))"},
    {"concat", "fields", NULL, "{{ fields | join(' || ') }}"},
    {"split_part", "string_text, delimiter_text, part_number", NULL,
     "string_split({{ string_text }}, {{ delimiter_text }})[{{ part_number }}]"},
    {"length", "expression", NULL, "length({{ expression }})"},
    {"position", "substring_text, string_text", NULL, "position({{ substring_text }} in {{ string_text }})"},
    {"replace", "field, old_chars, new_chars", NULL, "replace({{ field }}, {{ old_chars }}, {{ new_chars }})"},
    {"right", "string_text, length_expression", NULL, "right({{ string_text }}, {{ length_expression }})"},
    {"escape_single_quotes", "expression", NULL, "{{ expression | replace(\"'\", \"''\") }}"},
    {"string_literal", "value", NULL, "'{{ value }}'"},
    /* aggregates, arrays, sets */
    {"any_value", "expression", NULL, "arbitrary({{ expression }})"},
    {"bool_or", "expression", NULL, "bool_or({{ expression }})"},
    {"listagg", "measure, delimiter_text=\"','\", order_by_clause=none, limit_num=none",
     "measure, delimiter_text, order_by_clause, limit_num",
     "{% if limit_num %}list_aggr((array_agg({{ measure }}{% if order_by_clause %} {{ order_by_clause }}"
     "{% endif %}))[1:{{ limit_num }}], 'string_agg', {{ delimiter_text }}){% else %}"
     "string_agg({{ measure }}, {{ delimiter_text }}{% if order_by_clause %} {{ order_by_clause }}"
     "{% endif %}){% endif %}"},
    {"array_construct", "inputs=[], data_type='int'", "inputs, data_type",
     "{% if inputs %}[{{ inputs | join(', ') }}]{% else %}cast([] as {{ data_type }}[]){% endif %}"},
    {"array_append", "array, new_element", NULL, "list_append({{ array }}, {{ new_element }})"},
    {"array_concat", "array_1, array_2", NULL, "list_concat({{ array_1 }}, {{ array_2 }})"},
    {"except", "", NULL, "except"},
    {"intersect", "", NULL, "intersect"},
    {"equals", "expr1, expr2", NULL, "({{ expr1 }} = {{ expr2 }})"},
};

static const char env_macro[] =
    "{% macro generate_schema_name_for_env(custom_schema_name, node=none) -%}"
    "{%- if target.name == 'prod' and custom_schema_name is not none -%}{{ custom_schema_name | trim }}"
    "{%- else -%}{{ target.schema }}{%- endif -%}{%- endmacro %}\n";

/* generic tests: a row is a failure */
static const char generic_tests[] =
    "{% test not_null(model, column_name) %}"
    "{{ return(adapter.dispatch('test_not_null', 'dbt')(model, column_name)) }}{% endtest %}\n"
    "{% macro default__test_not_null(model, column_name) %}\n"
    "select {{ column_name }}\nfrom {{ model }}\nwhere {{ column_name }} is null\n{% endmacro %}\n"
    "{% test unique(model, column_name) %}"
    "{{ return(adapter.dispatch('test_unique', 'dbt')(model, column_name)) }}{% endtest %}\n"
    "{% macro default__test_unique(model, column_name) %}\n"
    "select {{ column_name }} as unique_field, count(*) as n_records\nfrom {{ model }}\n"
    "where {{ column_name }} is not null\ngroup by {{ column_name }}\nhaving count(*) > 1\n{% endmacro %}\n"
    "{% test accepted_values(model, column_name, values, quote=true) %}"
    "{{ return(adapter.dispatch('test_accepted_values', 'dbt')(model, column_name, values, quote)) }}{% endtest %}\n"
    "{% macro default__test_accepted_values(model, column_name, values, quote=true) %}\n"
    "select value_field, n_records\nfrom (\n    select {{ column_name }} as value_field, count(*) as n_records\n"
    "    from {{ model }}\n    group by {{ column_name }}\n) as found\nwhere value_field not in (\n"
    "{%- for value in values %}\n"
    "    {% if quote %}'{{ value | string | replace(\"'\", \"''\") }}'{% else %}{{ value }}{% endif %}"
    "{% if not loop.last %},{% endif %}\n{%- endfor %}\n)\n{% endmacro %}\n"
    "{% test relationships(model, column_name, to, field) %}"
    "{{ return(adapter.dispatch('test_relationships', 'dbt')(model, column_name, to, field)) }}{% endtest %}\n"
    "{% macro default__test_relationships(model, column_name, to, field) %}\n"
    "select child.from_field\nfrom (\n    select {{ column_name }} as from_field\n    from {{ model }}\n"
    "    where {{ column_name }} is not null\n) as child\nleft join (\n"
    "    select {{ field }} as to_field\n    from {{ to }}\n) as parent\n    on child.from_field = parent.to_field\nwhere parent.to_field is null\n{% endmacro %}\n";

nx_status nx__dbt_builtin_macros(nx_buf *b)
{
    for (size_t i = 0; i < NX_COUNT_OF(dispatched); i++) {
        const char *name = dispatched[i].name, *params = dispatched[i].params;
        const char *args = dispatched[i].args == NULL ? params : dispatched[i].args;
        NX_TRY(nx_buf_addf(b, "{%% macro %s(%s) %%}{{ return(adapter.dispatch('%s', 'dbt')(%s)) }}{%% endmacro %%}\n",
                           name, params, name, args));
        NX_TRY(nx_buf_addf(b, "{%% macro default__%s(%s) -%%}%s{%%- endmacro %%}\n", name, params, dispatched[i].body));
    }
    NX_TRY(nx_buf_adds(b, env_macro));
    return nx_buf_adds(b, generic_tests);
}
