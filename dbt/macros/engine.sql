{# What engines spell differently. Each has a default for DuckDB (embedded or dbt-duckdb) and a form for Spark. #}

{# Wall time in New York of an instant, as a timestamp without a zone. #}
{% macro ny_time(ts) %}{{ return(adapter.dispatch('ny_time', 'nexus')(ts)) }}{% endmacro %}
{% macro default__ny_time(ts) %}timezone('America/New_York', {{ ts }}){% endmacro %}
{% macro spark__ny_time(ts) %}from_utc_timestamp({{ ts }}, 'America/New_York'){% endmacro %}

{# The instant of a New York wall time. #}
{% macro from_ny_time(ts) %}{{ return(adapter.dispatch('from_ny_time', 'nexus')(ts)) }}{% endmacro %}
{% macro default__from_ny_time(ts) %}timezone('America/New_York', {{ ts }}){% endmacro %}
{% macro spark__from_ny_time(ts) %}to_utc_timestamp({{ ts }}, 'America/New_York'){% endmacro %}

{# Minutes since midnight of a wall time. #}
{% macro minute_of_day(ts) %}(extract(hour from {{ ts }}) * 60 + extract(minute from {{ ts }})){% endmacro %}

{# date plus whole days, as a date #}
{% macro add_days(d, n) %}{{ return(adapter.dispatch('add_days', 'nexus')(d, n)) }}{% endmacro %}
{% macro default__add_days(d, n) %}cast({{ d }} + {{ n }} as date){% endmacro %}
{% macro spark__add_days(d, n) %}date_add({{ d }}, {{ n }}){% endmacro %}

{# Monday 1 .. Sunday 7 #}
{% macro iso_weekday(d) %}{{ return(adapter.dispatch('iso_weekday', 'nexus')(d)) }}{% endmacro %}
{% macro default__iso_weekday(d) %}cast(isodow({{ d }}) as integer){% endmacro %}
{% macro spark__iso_weekday(d) %}cast(weekday({{ d }}) + 1 as int){% endmacro %}

{% macro date_key(d) %}cast(year({{ d }}) * 10000 + month({{ d }}) * 100 + day({{ d }}) as integer){% endmacro %}

{# 60 bits of MD5 as a bigint: equal on every engine, never negative, so -1 stays free for the unknown member. #}
{% macro hash_key(expr) %}{{ return(adapter.dispatch('hash_key', 'nexus')(expr)) }}{% endmacro %}
{% macro default__hash_key(expr) %}cast('0x' || substr(md5({{ expr }}), 1, 15) as bigint){% endmacro %}
{% macro spark__hash_key(expr) %}cast(conv(substr(md5({{ expr }}), 1, 15), 16, 10) as bigint){% endmacro %}

{# A sum of doubles in a fixed order, so that a rebuild gives the same bits. #}
{% macro ordered_sum(expr, order_by) %}{{ return(adapter.dispatch('ordered_sum', 'nexus')(expr, order_by)) }}{% endmacro %}
{% macro default__ordered_sum(expr, order_by) %}sum({{ expr }} order by {{ order_by }}){% endmacro %}
{% macro spark__ordered_sum(expr, order_by) %}aggregate(transform(array_sort(collect_list(struct({{ order_by }} as o, {{ expr }} as v))), x -> x.v), cast(0 as double), (a, v) -> a + coalesce(v, 0)){% endmacro %}

{# The value of one column in the first or last row by another. #}
{% macro first_by(expr, order_by) %}{{ return(adapter.dispatch('first_by', 'nexus')(expr, order_by)) }}{% endmacro %}
{% macro default__first_by(expr, order_by) %}arg_min({{ expr }}, {{ order_by }}){% endmacro %}
{% macro spark__first_by(expr, order_by) %}min_by({{ expr }}, {{ order_by }}){% endmacro %}
{% macro last_by(expr, order_by) %}{{ return(adapter.dispatch('last_by', 'nexus')(expr, order_by)) }}{% endmacro %}
{% macro default__last_by(expr, order_by) %}arg_max({{ expr }}, {{ order_by }}){% endmacro %}
{% macro spark__last_by(expr, order_by) %}max_by({{ expr }}, {{ order_by }}){% endmacro %}

{# Start of the n-minute bucket of an instant. #}
{% macro minute_bucket(ts, minutes) %}{{ return(adapter.dispatch('minute_bucket', 'nexus')(ts, minutes)) }}{% endmacro %}
{% macro default__minute_bucket(ts, minutes) %}time_bucket(interval '{{ minutes }} minutes', {{ ts }}){% endmacro %}
{% macro spark__minute_bucket(ts, minutes) %}timestamp_seconds(floor(unix_timestamp({{ ts }}) / {{ minutes * 60 }}) * {{ minutes * 60 }}){% endmacro %}

{# One row a day between two dates, both included; column d. #}
{% macro days_between(from_date, to_date) %}{{ return(adapter.dispatch('days_between', 'nexus')(from_date, to_date)) }}{% endmacro %}
{% macro default__days_between(from_date, to_date) %}select cast(unnest(generate_series({{ from_date }}, {{ to_date }}, interval 1 day)) as date) as d{% endmacro %}
{% macro spark__days_between(from_date, to_date) %}select explode(sequence({{ from_date }}, {{ to_date }}, interval 1 day)) as d{% endmacro %}

{# Columns as one value that compares from the first to the last of them. #}
{% macro struct_of(columns) %}{{ return(adapter.dispatch('struct_of', 'nexus')(columns)) }}{% endmacro %}
{% macro default__struct_of(columns) %}struct_pack({% for c in columns %}{{ c }} := {{ c }}{{ ', ' if not loop.last }}{% endfor %}){% endmacro %}
{% macro spark__struct_of(columns) %}struct({{ columns | join(', ') }}){% endmacro %}
