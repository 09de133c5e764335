{#- control flow, scopes, filters, macros -#}
{% set counts = namespace(n=0, names=[]) %}
{% for c in var('colours') | sort %}
    {% if not loop.first %}{% set counts.n = counts.n + loop.index %}{% endif %}
    {% do counts.names.append(c | upper) %}
{% endfor %}
{% set label %}{{ counts.names | join('+') }} of {{ counts.n }}{% endset %}
select
    id,
    {{ either('colour', "nullif(note, '')", last='none') }} as colour_or_note,
    {% call(column) wrapped('[', ']') %}{{ column }}{% endcall %} as boxed,
    '{{ label }}' as label,
    {% for c in var('colours') -%}
    sum(case when colour = '{{ c }}' then weight else 0 end) over () as {{ c }}_weight{{ "," if not loop.last }}
    {% endfor %},
    {{ 7 // 2 + 2 ** 3 }} as worked_out,
    '{{ {"b": 1, "a": [1, 2.5, none, true]} | tojson }}' as as_json,
    '{{ "%.3f" | format(2 / 3) }}' as formatted,
    '{{ (range(3) | map("string") | list)[::-1] | join }}' as counted
from {{ ref('items') }}
