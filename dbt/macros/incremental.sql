{# Rows of a bronze relation that this model has not taken yet. Positions of one writer (_source) rise in the order of commits, so the highest
   position taken of each writer is an exact watermark: a late or replayed batch of another writer is never skipped. #}
{% macro new_rows(relation) %}
    select b.*
    from {{ relation }} as b
    {% if is_incremental() %}
    left join (select _source, max(_ingest_pos) as pos from {{ this }} group by _source) as w
        on w._source = b._source
    where w.pos is null or b._ingest_pos > w.pos
    {% endif %}
{% endmacro %}
