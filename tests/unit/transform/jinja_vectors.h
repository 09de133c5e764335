/* Templates and what Jinja2 3.1.6 (sandboxed, with do and loopcontrols) makes of them; regenerate by rendering the left
 * side with it. In jinja_errors it refuses each. */
#ifndef NX_TESTS_JINJA_VECTORS_H
#define NX_TESTS_JINJA_VECTORS_H

static const struct {
    const char *source, *want;
} jinja_vectors[] = {
    {"a\n{% if true %}\nb\n{% endif %}\nc\n", "a\n\nb\n\nc"},
    {"a\n{%- if true %}\nb\n{% endif -%}\n\n  c", "a\nb\nc"},
    {"{% set x=1 %}{% for i in [1] %}{% set x=2 %}{% endfor %}{{x}}", "1"},
    {"{% set x=1 %}{% if true %}{% set x=2 %}{% endif %}{{x}}", "2"},
    {"{% set n=namespace(x=1) %}{% for i in [1,2] %}{% set n.x=n.x+i %}{% endfor %}{{n.x}}", "4"},
    {"{% set b %} hi {% endset %}[{{b}}]", "[ hi ]"},
    {"{% macro m(a,b=2) %}{{a}}|{{b}}|{{varargs}}{{kwargs}}{% endmacro %}{{ m(1,2,3,z=4) }};{{ m"
     "() }};{{ m(b=5) }}",
     "1|2|(3,){'z': 4};|2|(){};|5|(){}"},
    {"{% macro m() %}<{{ caller('x') }}>{% endmacro %}{% call(v) m() %}[{{ v }}]{% endcall %}", "<[x]>"},
    {"{{ u }}|{{ u|length }}|{% for i in u %}x{% endfor %}|{{ 'a'~u }}", "|0||a"},
    {"{{ none|default('d') }}{{ none|default('d',true) }}", "Noned"},
    {"{{ none }} {{ true }} {{ {'a':1} }} {{ (1,) }} {{ 1.0 }}", "None True {'a': 1} (1,) 1.0"},
    {"{{ [1/2, 4/2, 7//2, -7//2, 7%3, -7%3, 7%-3, 7.5//2, -7.5%2] }}", "[0.5, 2.0, 3, -4, 1, 2, -2, 3.0, 0.5]"},
    {"{{ -2**2 }} {{ 2**3**2 }} {{ 2**-1 }}", "4 64 0.5"},
    {"{{ [1_000, 0x1f, 0b11, 0o17, 1e3, 1e-7, 1e17, 1.5e300, 123456789.123, 0.1, 1e16, 1e15, 0.0"
     "001, 0.00001] }}",
     "[1000, 31, 3, 15, 1000.0, 1e-07, 1e+17, 1.5e+300, 123456789.123, 0.1, 1e+16, 1000000000000"
     "000.0, 0.0001, 1e-05]"},
    {"{{ 'a' 'b' }}{{ 'a'*3 }}{{ 1<2<3 }}{{ 1 in [1] }}{{ 3 is not odd }}{{ 4 is divisibleby 2 }"
     "}",
     "abaaaTrueTrueFalseTrue"},
    {"[{{ 1 if false }}]", "[]"},
    {"{{ ['b','A']|sort }}{{ ['b','A']|sort(case_sensitive=true) }}", "['A', 'b']['A', 'b']"},
    {"{{ {'b':1,'a':[1,2]}|tojson }} {{ \"<>&'\\\"\303\251\"|tojson }}",
     "{\"a\": [1, 2], \"b\": 1} \"\\u003c\\u003e\\u0026\\u0027\\\"\\u00e9\""},
    {"{{ 42.55|round(1) }} {{ 42.55|round }} {{ 42.45|round(1,'floor') }} {{ '3.9'|int }} {{ 'x'"
     "|int }} {{ 'x'|int(7) }} {{ 2.5|round }} {{ 5|round }} {{ 1234|round(-2) }}",
     "42.5 43.0 42.4 3 0 7 2.0 5 1200"},
    {"{{ [1,2,3,4,5]|batch(2)|list }} {{ [1,2,3,4,5]|batch(2,'x')|list }} {{ [1,2,3,4,5]|slice(2"
     ")|list }} {{ [1,2,3,4,5]|slice(3,'x')|list }}",
     "[[1, 2], [3, 4], [5]] [[1, 2], [3, 4], [5, 'x']] [[1, 2, 3], [4, 5]] [[1, 2], [3, 4], [5, "
     "'x']]"},
    {"{% set l=[1] %}{{ l.append(3) }}{{ l }}", "None[1, 3]"},
    {"[{{ ''.__class__ }}]", "[]"},
    {"{{ {'items':1}['items'] }}{% set d = {'a':1} %}{{ d.a }}", "11"},
    {"{% macro m() %}{{ x }}{% endmacro %}{% set x = 5 %}{{ m() }}", "5"},
    {"{% for i in 'abc' %}{{ [loop.index, loop.index0, loop.revindex, loop.revindex0, loop.first"
     ", loop.last, loop.length, loop.depth, loop.cycle('x','y')] }}{{ loop.previtem }}{{ loop.ne"
     "xtitem }}{{ loop.changed(i) }}{% endfor %}",
     "[1, 0, 3, 2, True, False, 3, 1, 'x']bTrue[2, 1, 2, 1, False, False, 3, 1, 'y']acTrue[3, 2,"
     " 1, 0, False, True, 3, 1, 'x']bTrue"},
    {"{% for i in [1,1,2] %}{{ loop.changed(i) }}{% endfor %}", "TrueFalseTrue"},
    {"{% for a,b in [(1,2),(3,4)] %}{{a}}{{b}}{% else %}none{% endfor %}{% for a in [] %}{% else"
     " %}none{% endfor %}",
     "1234none"},
    {"{% for i in range(10) if i is even %}{{ loop.index }}:{{ i }} {% endfor %}", "1:0 2:2 3:4 4:6 5:8 "},
    {"{% for i in range(10) %}{% if i == 2 %}{% continue %}{% endif %}{% if i > 4 %}{% break %}{"
     "% endif %}{{ i }}{% endfor %}",
     "0134"},
    {"{% filter upper|replace('A','x') %}abc{% endfilter %}", "xBC"},
    {"{% set x | upper %}abc{{ 1 }}{% endset %}{{ x }}", "ABC1"},
    {"{% raw %}{{ a }} {% x %}{% endraw %}", "{{ a }} {% x %}"},
    {"a {%- raw -%} {{ b }} {%- endraw -%} c", "a{{ b }}c"},
    {"a{# comment #}b {#- c -#} d", "abd"},
    {"{{ \"a\\nb\\t\\x41\\u00e9\\\\'\\\"\" }}", "a\nb\011A\303\251\\'\""},
    {"{{ 'it''s' }}{{ \"it's\" }}{{ ['it\\'s', \"q\\\"\", \"both'\\\"\"] }}", "itsit's[\"it's\", 'q\"', 'both\\'\"']"},
    {"{{ [1,2,3][1:] }}{{ [1,2,3][-1] }}{{ 'hello'[1:3] }}{{ 'hello'[::-1] }}{{ [1,2,3,4][::2] }"
     "}{{ 'abc'[5:] }}{{ (1,2,3)[:2] }}",
     "[2, 3]3elolleh[1, 3](1, 2)"},
    {"{{ 'a,b,c'.split(',') }}{{ ' a  b '.split() }}{{ 'a,b,c'.split(',',1) }}{{ 'a,b,c'.rsplit("
     "',',1) }}{{ 'a b c'.rsplit(none, 1) }}{{ 'a b c d'.split(none, 2) }}",
     "['a', 'b', 'c']['a', 'b']['a', 'b,c']['a,b', 'c']['a b', 'c']['a', 'b', 'c d']"},
    {"{{ 'Hello World'.upper() }}{{ 'Hello'.lower() }}{{ 'hello world'.title() }}{{ \"it's o'neil"
     "\"|title }}{{ \"it's\"|capitalize }}{{ 'x'.center(6) }}|{{ 'ab'.center(7) }}|{{ 'ab'|center(7"
     ") }}|{{ 'a'.ljust(3) }}|{{ 'a'.rjust(3,'*') }}|{{ '-5'.zfill(4) }}",
     "HELLO WORLDhelloHello WorldIt's O'neilIt's  x   |   ab  |   ab  |a  |**a|-005"},
    {"{{ '%s-%05.2f-%d-%x-%r'|format('a', 3.14159, 42, 255, 'q') }}{{ '%s' % 5 }}{{ '%(a)s' % {'"
     "a': 1} }}{{ '%5s|%-5s|' % ('a','b') }}",
     "a-03.14-42-ff-'q'51    a|b    |"},
    {"{{ '{} {}'.format(1, 'b') }}{{ '{0}{1}{0}'.format('a','b') }}{{ '{x:>5}|{y:05.1f}|{z:,}'.f"
     "ormat(x='a', y=2.55, z=1234567) }}{{ '{:<4}|{:^5}|{!r}'.format(1,'b','c') }}{{ '{{}}'.form"
     "at() }}",
     "1 baba    a|002.5|1,234,5671   |  b  |'c'{}"},
    {"{{ {'a':1,'b':2}.items()|list }}{{ {'a':1}.get('x') }}{{ {'a':1}.get('x',3) }}{% set d={'a"
     "':1} %}{% do d.update({'b':2}) %}{% do d.update(c=3) %}{{ d }}{{ d.pop('a') }}{{ d }}{{ d."
     "keys()|list }}{{ d.values()|list }}",
     "[('a', 1), ('b', 2)]None3{'a': 1, 'b': 2, 'c': 3}1{'b': 2, 'c': 3}['b', 'c'][2, 3]"},
    {"{{ [3,1,2]|sort }}{{ [3,1,2]|sort(reverse=true) }}{{ [3,1,2]|max }}{{ [3,1,2]|min }}{{ [3,"
     "1,2]|sum }}{{ [{'a':1},{'a':2}]|sum(attribute='a') }}",
     "[1, 2, 3][3, 2, 1]3163"},
    {"{{ [1,2,3]|map('string')|join('-') }}{{ [{'a':1},{'a':2},{}]|map(attribute='a', default=0)"
     "|list }}{{ ['a','b']|map('upper')|list }}",
     "1-2-3[1, 2, 0]['A', 'B']"},
    {"{{ [1,2,3,4]|select('odd')|list }}{{ [1,2,3,4]|reject('gt', 2)|list }}{{ [{'a':1},{'a':0}]"
     "|selectattr('a')|list }}{{ [{'a':1},{'a':2}]|rejectattr('a','eq',1)|list }}{{ [0,1,'']|sel"
     "ect|list }}",
     "[1, 3][1, 2][{'a': 1}][{'a': 2}][1]"},
    {"{{ ['a','A','b']|unique|list }}{{ [1,2,1]|unique|list }}{{ ['a','A']|unique(true)|list }}",
     "['a', 'b'][1, 2]['a', 'A']"},
    {"{{ {'b':1,'A':2}|dictsort }}{{ {'b':1,'A':2}|dictsort(false,'value') }}{{ {'b':1,'A':2}|di"
     "ctsort(true) }}{{ {'b':1,'A':2}|dictsort(reverse=true) }}",
     "[('A', 2), ('b', 1)][('b', 1), ('A', 2)][('A', 2), ('b', 1)][('b', 1), ('A', 2)]"},
    {"{% for k, v in [{'a':1,'n':'x'},{'a':2,'n':'y'},{'a':1,'n':'z'}]|groupby('a') %}{{ k }}:{{"
     " v|map(attribute='n')|join(',') }};{% endfor %}",
     "1:x,z;2:y;"},
    {"{{ [1,2]|first }}{{ [1,2]|last }}{{ []|first }}{{ 'abc'|first }}{{ 'abc'|reverse }}{{ [1,2"
     "]|reverse|list }}",
     "12acba[2, 1]"},
    {"{{ 'a b'|wordcount }}{{ '  a '|trim }}|{{ 'xxaxx'|trim('x') }}{{ 'abc def ghi'|truncate(7)"
     " }}{{ 'abc def ghi jkl'|truncate(9, true, '!', 0) }}",
     "2a|aabc def ghiabc def !"},
    {"{{ 'a\nb\n\nc'|indent }}\n{{ 'a\nb'|indent(2, true) }}{{ 'a\nb'|indent('>>') }}",
     "a\n    b\n\n    c\n  a\n  ba\n>>b"},
    {"{{ 1 ~ 'a' ~ none ~ true ~ 1.5 ~ [1] }}", "1aNoneTrue1.5[1]"},
    {"{{ 1 == 1.0 }}{{ 1 == true }}{{ 'a' == 'a' }}{{ [1] == [1] }}{{ {'a':1} == {'a':1.0} }}{{ "
     "none == false }}{{ 1 != 2 }}{{ 'a' < 'b' }}{{ (1,2) < (1,3) }}{{ u == v }}{{ u != 1 }}",
     "TrueTrueTrueTrueTrueFalseTrueTrueTrueTrueTrue"},
    {"{{ not true }}{{ not none }}{{ true and 'x' }}{{ false or 'y' }}{{ 0 or none }}{{ 1 and 0 "
     "}}{{ not 1 == 2 }}",
     "FalseTruexyNone0True"},
    {"{{ 'a' in 'abc' }}{{ 'a' not in 'abc' }}{{ 'k' in {'k':1} }}{{ 1 in (1,2) }}{{ 1 in u }}",
     "TrueFalseTrueTrueFalse"},
    {"{{ x is defined }}{{ 1 is defined }}{{ none is none }}{{ 'a' is string }}{{ 1 is number }}"
     "{{ true is number }}{{ {} is mapping }}{{ {} is sequence }}{{ 'x' is sequence }}{{ [] is i"
     "terable }}{{ 1 is iterable }}{{ 1 is integer }}{{ true is integer }}{{ 1.0 is float }}{{ t"
     "rue is boolean }}{{ 'A' is upper }}{{ 'a' is lower }}{{ 1 is sameas 1 }}{{ 2 is even }}{{ "
     "2 is eq 2 }}{{ 2 is in [2] }}{{ 'upper' is filter }}{{ 'odd' is test }}{{ range is callabl"
     "e }}{{ x is undefined }}{{ 1 is true }}{{ false is false }}{{ 3 is ge 3 }}{{ 3 is lessthan"
     " 2 }}",
     "FalseTrueTrueTrueTrueTrueTrueTrueTrueTrueFalseTrueFalseTrueTrueTrueTrueTrueTrueTrueTrueTru"
     "eTrueTrueTrueFalseTrueTrueFalse"},
    {"{{ 1 is odd and 2 is even }}{{ 1 if 1 is defined else 2 }}{{ x is defined or true }}", "True1True"},
    {"{{ [1,2]+[3] }}{{ (1,)+(2,) }}{{ [1]*2 }}{{ 'a'+'b' }}{{ 1+1.5 }}{{ 2*3 }}{{ true+1 }}",
     "[1, 2, 3](1, 2)[1, 1]ab2.562"},
    {"{{ [1,2,3] | join(', ') | upper }}{{ [{'a':1}]|join(',', attribute='a') }}", "1, 2, 31"},
    {"{{ dict(a=1, b=2) }}{{ dict([('a',1)]) }}{{ range(3)|list }}{{ range(1,10,3)|list }}{{ ran"
     "ge(3,0,-1)|list }}",
     "{'a': 1, 'b': 2}{'a': 1}[0, 1, 2][1, 4, 7][3, 2, 1]"},
    {"{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set c = 1, %}{{ c }}{% set (x, y) = (3,4) %}{{ x+y }"
     "}",
     "12(1,)7"},
    {"{% macro a() %}A{{ b() }}{% endmacro %}{% macro b() %}B{% endmacro %}{{ a() }}", "AB"},
    {"{% macro f(x, y=x) %}{{ x }}{{ y }}{% endmacro %}{{ f(1) }}{{ f(1,2) }}{{ f(y=3, x=4) }}", "111243"},
    {"{% macro f() %}{{ varargs|join('-') }}|{{ kwargs|dictsort }}{% endmacro %}{{ f(*[1,2], **{"
     "'a':3}) }}{{ f(0, *[1], b=1, **{'a':3}) }}",
     "1-2|[('a', 3)]0-1|[('a', 3), ('b', 1)]"},
    {"{% for x in [1,2] %}{% macro m() %}{{ x }}{% endmacro %}{{ m() }}{% endfor %}", "12"},
    {"{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{{ a }}", "3"},
    {"{% if 1 > 2 %}a{% elif 2 > 1 %}b{% else %}c{% endif %}{% if false %}a{% elif false %}b{% e"
     "lse %}c{% endif %}",
     "bc"},
    {"{{ {'a': {'b': 1}} }}{{ {'a': {'b': 1}}.a.b }}{{ {1:2, none:3, true:4} }}", "{'a': {'b': 1}}1{1: 4, None: 3}"},
    {"{{ '\303\251'|length }}{{ '\303\251'.upper() }}{{ '\303\200B'|lower }}{{ 'h\303\251llo'[1] }}",
     "1\303\211\303\240b\303\251"},
    {"{{ 1.5|int }}{{ '0x1f'|int(0,16) }}{{ '1.5'|float }}{{ 'x'|float }}{{ -3|abs }}{{ 3|string"
     " + 'a' }}{{ [1,2]|length }}{{ {'a':1}|list }}{{ 'ab'|list }}{{ {'a':1}|items|list }}",
     "1311.50.033a2['a']['a', 'b'][('a', 1)]"},
    {"{{ [[1,2],[3]]|sum(start=[]) }}", "[1, 2, 3]"},
    {"{{ -1|abs }}{{ (-1)|abs }}{{ - 1 }}{{ +1 }}{{ 1 - -1 }}", "11-112"},
    {"{{ 5 // 2 }}{{ 5 % 3 }}{{ 2 ** 10 }}{{ 10 / 4 }}{{ 2.5 * 2 }}", "2210242.55.0"},
    {"{{ {}.foo is defined }}{{ {}.foo }}|{{ {}['x'] }}|{{ [][0] }}|{{ 'a'.b }}|{{ 1.x }}", "False||||"},
    {"{% set ns = namespace() %}{% set ns.a = 1 %}{{ ns.a }}{{ ns.b is defined }}", "1False"},
    {"{% for i in [1,2] %}\n  {{ i }}\n{% endfor %}", "\n  1\n\n  2\n"},
    {"{%- for i in [1,2] -%}\n  {{ i }}\n{%- endfor -%}", "12"},
    {"select\n  {% for c in ['a','b'] -%}\n  {{ c }}{% if not loop.last %},{% endif %}\n  {% endfor"
     " %}\nfrom t",
     "select\n  a,\n  b\n  \nfrom t"},
    {"{% if x -%} a {%- else -%} b {%- endif %} c", "b c"},
    {"{{- 'a' -}} b {{- 'c' }} d {{ 'e' -}}\n  f", "abc d ef"},
    {"{{ caller }}", ""},
    {"{% set q = joiner('; ') %}{% for i in [1,2,3] %}{{ q() }}{{ i }}{% endfor %}{% set c = cyc"
     "ler('a','b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}",
     "1; 2; 3abab"},
    {"{{ [1,2,3,4]|select('in', [2,3])|list }}{{ ['a','b']|map('replace','a','z')|list }}", "[2, 3]['z', 'b']"},
    {"{{ \"%.2f\"|format(1.005) }}{{ \"%g\"|format(1e10) }}{{ \"%e\"|format(12345.678) }}{{ \"%+d\"|form"
     "at(5) }}{{ \"%%\"|format() }}{{ \"%5.1f|\"|format(2.25) }}{{ \"%03d\"|format(7) }}{{ \"%x\"|format"
     "(255) }}{{ \"%c\"|format(65) }}",
     "1.001e+101.234568e+04+5%  2.2|007ffA"},
    {"{{ 'a'.startswith(('a','b')) }}{{ 'abc'.endswith('bc') }}{{ 'abc'.find('c') }}{{ 'abc'.fin"
     "d('z') }}{{ 'aXbXc'.replace('X','-',1) }}{{ 'abc'.count('b') }}{{ ','.join(['a','b']) }}{{"
     " 'abc'.index('b') }}{{ 'aaa'.rfind('a') }}",
     "TrueTrue2-1a-bXc1a,b12"},
    {"{{ 'a.b.c'.partition('.') }}{{ 'a.b.c'.rpartition('.') }}{{ 'abc'.removeprefix('a') }}{{ '"
     "abc'.removesuffix('c') }}{{ 'a\nb'.splitlines() }}{{ 'Ab'.swapcase() }}{{ '12'.isdigit() }}"
     "{{ 'ab'.isalpha() }}{{ 'a1'.isalnum() }}{{ ' '.isspace() }}{{ 'AB'.isupper() }}{{ 'x'.islo"
     "wer() }}",
     "('a', '.', 'b.c')('a.b', '.', 'c')bcab['a', 'b']aBTrueTrueTrueTrueTrueTrue"},
    {"{% set l = [3,1] %}{% do l.extend([2]) %}{% do l.insert(0, 9) %}{{ l }}{{ l.pop() }}{{ l.p"
     "op(0) }}{{ l.index(1) }}{{ l.count(3) }}{% do l.sort() %}{{ l }}{% do l.reverse() %}{{ l }"
     "}{% do l.remove(1) %}{{ l }}{{ l.copy() }}{% do l.clear() %}{{ l }}",
     "[9, 3, 1, 2]2911[1, 3][3, 1][3][3][]"},
    {"{{ loop }}", ""},
    {"{% for i in [1] %}{% for j in [1,2] %}{{ loop.index }}{% endfor %}{{ loop.index }}{% endfo"
     "r %}",
     "121"},
    {"{{ 'a' if true else 'b' if true else 'c' }}{{ ('a' if false else 'b') }}", "ab"},
    {"{{ [1,2,] }}{{ (1,2,) }}{{ {'a':1,} }}{{ [] }}{{ {} }}{{ () }}", "[1, 2](1, 2){'a': 1}[]{}()"},
    {"{{ 2 is divisibleby(2) }}{{ 1 is not none }}{{ not 1 is none }}", "TrueTrueTrue"},
    {"{{ 1 if 0 else 2 }}{{ [1 if 0 else 2, 3] }}", "2[2, 3]"},
    {"{{ 1e400 }}{{ -1e400 }}", "inf-inf"},
    {"{{ 'a' is in 'abc' }}{{ 1 in [1] and 2 not in [1] }}", "TrueTrue"},
    {"{{ {'a': [1, {'b': (1, 'x')}]} }}", "{'a': [1, {'b': (1, 'x')}]}"},
    {"{% macro m(a) %}{{ a }}{{ caller() if caller else 'nc' }}{% endmacro %}{{ m(1) }}{% call m"
     "(2) %}body{% endcall %}",
     "1nc2body"},
    {"{{ [1,2,3]|tojson(indent=2) }}", "[\n  1,\n  2,\n  3\n]"},
    {"{{ [{'n':'b','k':1},{'n':'a','k':1}]|sort(attribute='k,n')|map(attribute='n')|join }}", "ab"},
    {"{{ \"x\" * 0 }}{{ [] * 5 }}{{ 3 * 'ab' }}", "[]ababab"},
    {"{{ '  x'.lstrip() }}|{{ 'x  '.rstrip() }}|{{ 'xay'.strip('xy') }}", "x|x|a"},
    {"{{ 'a'|d('b') }}{{ ''|d('b') }}{{ ''|d('b', true) }}{{ 0|default(5, boolean=true) }}", "ab5"},
    {"{% for k, v in {'a':1,'b':2}.items() %}{{ k }}={{ v }}{{ ',' if not loop.last }}{% endfor "
     "%}",
     "a=1,b=2"},
    {"{{ 'a-b'.split('-')[1] }}{{ 'abc'|length > 2 }}{{ (1,2)|length }}{{ 'x' ~ ('y' if true) }}", "bTrue2xy"},
    {"{{ \"a%sb\"|replace('%s', 'X') }}{{ 'aaa'|replace('a','b',2) }}{{ ''|replace('','x') }}{{ 'a"
     "b'|replace('','-') }}\n",
     "aXbbbax-a-b-"},
    {"{{ '  a a b c'.rsplit(none, 1) }}{{ ' a b c  '.split(none, 1) }}{{ '  '.split() }}{{ ' a '"
     ".rsplit() }}{{ 'a'.split(none, 0) }}",
     "['  a a b', 'c']['a', 'b c  '][]['a']['a']"},
    {"{{ u in {'k': 1} }}{{ [u, 1, 1]|unique|list }}", "False[Undefined, 1]"},
    {"{% for row in [['a', 1], ['b', 2]] -%}\n  {%- set name, n = row -%}\n  {{ name ~ '=' ~ n }}{"
     "{ ', ' if not loop.last else '' }}\n{%- endfor %}",
     "a=1, b=2"},
    {"{%- macro cents_to_dollars(column_name, precision=2) -%}\n    ({{ column_name }} / 100)::nu"
     "meric(16, {{ precision }})\n{%- endmacro -%}\nselect {{ cents_to_dollars('amount') }} as a, "
     "{{ cents_to_dollars(column_name='b', precision=4) }} as b",
     "select (amount / 100)::numeric(16, 2) as a, (b / 100)::numeric(16, 4) as b"},
    {"{% set payment_methods = [\"card\", \"coupon\"] %}\nselect order_id,\n  {% for m in payment_meth"
     "ods %}\n  sum(case when method = '{{ m }}' then amount else 0 end) as {{ m }}_amount{% if n"
     "ot loop.last %},{% endif %}\n  {% endfor %}\nfrom t group by 1",
     "\nselect order_id,\n  \n  sum(case when method = 'card' then amount else 0 end) as card_amoun"
     "t,\n  \n  sum(case when method = 'coupon' then amount else 0 end) as coupon_amount\n  \nfrom t"
     " group by 1"},
    {"{% set d = {} %}{% for k in ['x', 'y'] %}{% do d.update({k: loop.index}) %}{% endfor %}{{ "
     "d }}{{ d.items() | map('first') | join('/') }}",
     "{'x': 1, 'y': 2}x/y"},
    {"{% macro outer() %}{% set inner %}{% for i in range(2) %}{{ i }}{{ caller(i) }}{% endfor %"
     "}{% endset %}{{ inner | trim }}{% endmacro %}{% call(n) outer() %}<{{ n * 2 }}>{% endcall "
     "%}\n",
     "0<0>1<2>"},
};

static const char *const jinja_errors[] = {
    "{{ u.foo }}",
    "{{ u+1 }}",
    "{{ u() }}",
    "{{ '{} {0}'.format(1) }}",
    "{{ 'a'+1 }}",
    "{{ 1/0 }}",
    "{% macro f(x) %}{{ x }}{% endmacro %}{{ f(1,2) }}",
    "{% macro f(x) %}{{ x }}{% endmacro %}{{ f(z=2) }}",
    "{{ foo.bar is defined }}",
    "{{ {}.foo.bar }}",
    "{% set x.y = 1 %}",
    "{% for i in 5 %}{% endfor %}",
    "{% for a, b in [1] %}{% endfor %}",
    "{% if %}x{% endif %}",
    "{{ }}",
    "{{ x | nosuch }}",
    "{{ 1 is nosuch }}",
    "{% endif %}",
    "{% if x %}",
    "{{ 'abc }}",
    "{{ (1 }}",
    "{{ 1 2 }}",
    "{% set x = %}",
    "{# unclosed",
    "{{ unclosed",
    "{{ a.b.c }}",
    "{{ \"a\" \"b\" ~ 'c' }}{{ 1 + 2 ~ 3 }}{{ 1 ~ 2 + 3 }}",
    "{{ none|string }}{{ none|upper }}{{ 5|upper }}{{ u|upper }}{{ u|join(',') }}{{ u|default('"
    "z') }}{{ u|int }}",
};

#endif
