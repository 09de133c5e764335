#include "transform/contract_sources.h"

#include "contract/export.h"

/* Quoted; what would be Jinja to dbt stays text. */
static nx_status add_text(nx_buf *b, const char *text)
{
    nx_str s = nx_str_of(text == NULL ? "" : text);
    bool jinja = nx_str_find(s, NX_STR("{{"), 0) != SIZE_MAX || nx_str_find(s, NX_STR("{%"), 0) != SIZE_MAX ||
                 nx_str_find(s, NX_STR("{#"), 0) != SIZE_MAX;
    if (!jinja)
        return nx_buf_quote(b, s);
    nx_buf t NX_BUF_AUTO;
    nx_buf_init(&t, 0);
    NX_TRY(nx_buf_addf(&t, "{%% raw %%}%s{%% endraw %%}", s.p));
    return nx_buf_quote(b, nx_buf_str(&t));
}

static size_t count(const char *const *names)
{
    size_t n = 0;
    while (names != NULL && names[n] != NULL)
        n++;
    return n;
}

static bool is_unique(const nx_contract *c, size_t col)
{
    const char *const *key = nx_contract_key(c);
    const char *name = nx_contract_schema(c)->fields[col].name;
    bool observations = nx_str_starts(nx_str_of(nx_contract_table(c)), NX_STR("bronze."));
    return nx_contract_unique(c, col) || (!observations && count(key) == 1 && strcmp(key[0], name) == 0);
}

static nx_status add_tests(const nx_contract *c, size_t col, nx_buf *b)
{
    size_t n;
    const nx_str *allowed = nx_contract_allowed(c, col, &n);
    bool required = !nx_contract_schema(c)->fields[col].nullable, unique = is_unique(c, col);
    if (!required && !unique && n == 0)
        return NX_OK;
    NX_TRY(nx_buf_adds(b, "            data_tests:\n"));
    if (required)
        NX_TRY(nx_buf_adds(b, "              - not_null\n"));
    if (unique)
        NX_TRY(nx_buf_adds(b, "              - unique\n"));
    if (n == 0)
        return NX_OK;
    NX_TRY(nx_buf_adds(
        b, "              - accepted_values:\n                  arguments:\n                    values: ["));
    for (size_t i = 0; i < n; i++) {
        NX_TRY(nx_buf_adds(b, i == 0 ? "" : ", "));
        NX_TRY(nx_buf_quote(b, allowed[i]));
    }
    return nx_buf_adds(b, "]\n");
}

static nx_status add_table(const nx_contract *c, nx_buf *b)
{
    const nx_schema *s = nx_contract_schema(c);
    NX_TRY(nx_buf_addf(b, "      - name: %s\n        description: ", strchr(nx_contract_table(c), '.') + 1));
    NX_TRY(add_text(b, nx_contract_description(c)));
    NX_TRY(nx_buf_addf(
        b,
        "\n        config: {plugin: delta, delta_table_path: \"{{ env_var('NEXUS_LAKE_ROOT', 'lake') }}/%s\"}\n"
        "        columns:\n",
        nx_contract_folder(c)));
    for (size_t i = 0; i < s->n_fields; i++) {
        nx_buf type NX_BUF_AUTO;
        nx_buf_init(&type, 0);
        NX_TRY(nx_type_to_sql(&s->fields[i].type, &type));
        NX_TRY(nx_buf_addf(b, "          - name: %s\n            description: ", s->fields[i].name));
        NX_TRY(add_text(b, s->fields[i].comment));
        NX_TRY(nx_buf_adds(b, "\n            data_type: "));
        NX_TRY(nx_buf_quote(b, nx_buf_str(&type)));
        NX_TRY(nx_buf_addc(b, '\n'));
        NX_TRY(add_tests(c, i, b));
    }
    return NX_OK;
}

static nx_str schema_of(const nx_contract *c)
{
    const char *table = nx_contract_table(c);
    return (nx_str){table, (size_t)(strchr(table, '.') - table)};
}

/* Tables of one schema stand together, schemas in the order in which they first come. */
static nx_status add_all(const nx_contract *const *c, size_t n, nx_buf *b)
{
    NX_TRY(nx_buf_adds(b, "version: 2\n\nsources:\n"));
    for (size_t i = 0; i < n; i++) {
        nx_str schema = schema_of(c[i]);
        bool done = false;
        for (size_t k = 0; k < i; k++)
            done |= nx_str_eq(schema_of(c[k]), schema);
        if (done)
            continue;
        NX_TRY(nx_buf_addf(b, "  - name: " NX_STR_FMT "\n    schema: " NX_STR_FMT "\n    tables:\n", NX_STR_ARG(schema),
                           NX_STR_ARG(schema)));
        for (size_t k = i; k < n; k++)
            if (nx_str_eq(schema_of(c[k]), schema))
                NX_TRY(add_table(c[k], b));
    }
    return NX_OK;
}

nx_status nx_dbt_contract_sources(const nx_contract *const *c, size_t n, nx_buf *b, nx_err *err)
{
    return add_all(c, n, b) == NX_OK ? NX_OK : nx_nomem(err);
}
