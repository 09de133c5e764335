{# Rows of a bronze relation that this model has not taken yet. Positions of one writer (_source) rise in the order of commits, so the highest
   position taken of each writer is an exact watermark: a late or replayed batch of another writer is never skipped. Rows that came back from
   quarantine have the position they were refused at, below the watermark, and were known later than received: each is looked up.
   settled: when row t of this model says that nothing is left to do for such a row b. #}
{% macro new_rows(relation, settled) %}
    select b.*
    from {{ relation }} as b
    {% if is_incremental() %}
    left join (select _source, max(_ingest_pos) as pos from {{ this }} group by _source) as w
        on w._source = b._source
    where w.pos is null or b._ingest_pos > w.pos
    union all
    select b.*
    from (select * from {{ relation }} where _known_at > _received_at) as b
    inner join (select _source, max(_ingest_pos) as pos from {{ this }} group by _source) as w
        on w._source = b._source
    left join {{ this }} as t
        on {{ settled }}
    where b._ingest_pos <= w.pos
        and t._source is null
    {% endif %}
{% endmacro %}
