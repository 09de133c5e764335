{{ config(materialized='incremental', incremental_strategy='merge', unique_key='id', on_schema_change='append_new_columns') }}
select id, name, colour, weight{% if var('round') == 2 %}, note as added_later{% endif %}
from {{ ref('items') }}
