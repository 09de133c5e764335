/* Seeds: a CSV file with a header as a table. Types come from column_types, or from what all values of a column have in common. */
#include "transform/dbt_int.h"

static nx_status read_header(dbt_project *p, const dbt_node *n, char delim, dbt_list *ret, nx_err *err)
{
    nx_str s = n->raw;
    if (nx_str_starts(s, NX_STR("\xEF\xBB\xBF")))
        s = nx_str_sub(s, 3, s.n);
    size_t i = 0;
    NX_BUF_AUTO nx_buf name;
    nx_buf_init(&name, 1 << 16);
    for (bool more = i < s.n; more;) {
        bool quotes = i < s.n && s.p[i] == '"';
        nx_buf_clear(&name);
        i += quotes;
        while (i < s.n && (quotes || (s.p[i] != delim && s.p[i] != '\n' && s.p[i] != '\r'))) {
            if (quotes && s.p[i] == '"' && !(i + 1 < s.n && s.p[i + 1] == '"'))
                break;
            i += quotes && s.p[i] == '"';
            if (nx_buf_addc(&name, s.p[i++]) != NX_OK)
                return nx_fail(err, NX_INVALID, "%s:1: a column's name is too long", n->file);
        }
        i += quotes && i < s.n;
        more = i < s.n && s.p[i] == delim;
        i += more;
        nx_str trimmed = nx_str_trim(nx_buf_str(&name));
        const char *copy = nx__dbt_cstr(&p->arena, trimmed);
        if (copy == NULL)
            return nx_nomem(err);
        if (trimmed.n == 0)
            return nx_fail(err, NX_INVALID, "%s:1: column %zu of the header has no name", n->file, ret->n + 1);
        for (size_t k = 0; k < ret->n; k++)
            if (nx_str_eq_nocase(nx_str_of(ret->v[k]), trimmed))
                return nx_fail(err, NX_INVALID, "%s:1: the header names the column '%s' twice", n->file, copy);
        NX_TRY(nx__dbt_push(&p->arena, ret, (void *)copy, err));
    }
    return ret->n > 0 ? NX_OK : nx_fail(err, NX_INVALID, "%s: the file is empty: a header line is needed", n->file);
}

/* All columns as text in a temporary table; an empty value is null. */
static nx_status load_text(dbt_project *p, const dbt_node *n, const dbt_list *cols, char delim, nx_err *err)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 22);
    const char *path = nx_arena_printf(&p->arena, "%s/%s", p->root, n->file);
    if (path == NULL)
        return nx_nomem(err);
    nx_status st = nx_buf_adds(&b, "create or replace temp table __dbt_seed as select * from read_csv(");
    if (st == NX_OK)
        st = nx_sql_literal(&b, nx_str_of(path));
    if (st == NX_OK)
        st = nx_buf_addf(&b,
                         ", auto_detect = false, header = true, quote = '\"', escape = '\"', nullstr = '', delim = "
                         "'%c', columns = {",
                         delim);
    for (size_t i = 0; st == NX_OK && i < cols->n; i++) {
        st = i == 0 ? NX_OK : nx_buf_adds(&b, ", ");
        if (st == NX_OK)
            st = nx_sql_literal(&b, nx_str_of(cols->v[i]));
        if (st == NX_OK)
            st = nx_buf_adds(&b, ": 'VARCHAR'");
    }
    if (st == NX_OK)
        st = nx_buf_adds(&b, "})");
    if (st != NX_OK)
        return nx_nomem(err);
    return nx_session_exec(p->session, nx_buf_str(&b), NULL, err);
}

/* In the order in which they are tried. A column without any value is text. */
static const struct {
    const char *pattern, *type;
} KINDS[] = {{"-?[0-9]{1,9}", "integer"},
             {"-?[0-9]{1,18}", "bigint"},
             {"-?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][-+]?[0-9]+)?", "double"},
             {"[0-9]{4}-[0-9]{2}-[0-9]{2}", "date"},
             {"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,6})?", "timestamp"},
             {"[tT][rR][uU][eE]|[fF][aA][lL][sS][eE]", "boolean"}};

static nx_status infer(dbt_project *p, const char *col, const char **ret, nx_err *err)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 20);
    nx_status st = nx_buf_adds(&b, "select count(c)");
    for (size_t i = 0; st == NX_OK && i < NX_COUNT_OF(KINDS); i++)
        st = nx_buf_addf(&b, ", count(*) filter (where not regexp_full_match(c, '%s'))", KINDS[i].pattern);
    if (st == NX_OK)
        st = nx_buf_adds(&b, " from (select ");
    if (st == NX_OK)
        st = nx_sql_ident(&b, nx_str_of(col));
    if (st == NX_OK)
        st = nx_buf_adds(&b, " as c from __dbt_seed)");
    if (st != NX_OK)
        return nx_nomem(err);
    nx_result *r;
    NX_TRY(nx_session_query(p->session, nx_buf_str(&b), &r, err));
    *ret = "varchar";
    for (size_t i = NX_COUNT_OF(KINDS); i-- > 0 && nx_result_i64(r, 0, 0, 0) > 0;)
        if (nx_result_i64(r, 0, i + 1, 1) == 0)
            *ret = KINDS[i].type;
    nx_result_drop(r);
    return NX_OK;
}

static const char *given_type(const dbt_node *n, const char *col)
{
    const nx_val *types = nx_val_get(&n->cfg, "column_types");
    for (size_t i = 0; types != NULL && types->kind == NX_VAL_OBJ && i < types->n; i++)
        if (nx_str_eq_nocase(types->keys[i], nx_str_of(col)) && types->items[i].kind == NX_VAL_STR)
            return types->items[i].s.p;
    return NULL;
}

static nx_status typed_query(dbt_project *p, const dbt_node *n, const dbt_list *cols, nx_buf *b, nx_err *err)
{
    nx_status st = nx_buf_adds(b, "select ");
    for (size_t i = 0; st == NX_OK && i < cols->n; i++) {
        const char *type = given_type(n, cols->v[i]);
        if (type == NULL)
            NX_TRY(infer(p, cols->v[i], &type, err));
        st = nx_buf_adds(b, i == 0 ? "cast(" : ", cast(");
        if (st == NX_OK)
            st = nx_sql_ident(b, nx_str_of(cols->v[i]));
        if (st == NX_OK)
            st = nx_buf_addf(b, " as %s) as ", type);
        if (st == NX_OK)
            st = nx_sql_ident(b, nx_str_of(cols->v[i]));
    }
    if (st == NX_OK)
        st = nx_buf_adds(b, " from __dbt_seed");
    return st == NX_OK ? NX_OK : nx_nomem(err);
}

static nx_status load(dbt_project *p, dbt_node *n, nx_err *err)
{
    dbt_list cols = {0};
    nx_str delim = nx__dbt_cfg_str(n, "delimiter", ",");
    if (delim.n != 1 || delim.p[0] == '\'' || delim.p[0] == '"')
        return nx_fail(err, NX_INVALID, "%s: delimiter must be one character", n->file);
    NX_TRY(read_header(p, n, delim.p[0], &cols, err));
    NX_TRY(load_text(p, n, &cols, delim.p[0], err));
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 22);
    NX_TRY(typed_query(p, n, &cols, &b, err));
    nx_write_opts o = {.mode = NX_WRITE_OVERWRITE};
    return nx__dbt_write(p, n, nx_buf_str(&b), &o, err);
}

nx_status nx__dbt_mat_seed(dbt_project *p, dbt_node *n, nx_err *err)
{
    NX_TRY(nx__dbt_hooks(p, n, "pre-hook", err));
    nx_status st = load(p, n, err);
    nx_err ignored;
    nx_status dropped = nx_session_exec(p->session, NX_STR("drop table if exists __dbt_seed"), NULL, &ignored);
    (void)dropped; /* the next one replaces it */
    NX_TRY(st);
    NX_TRY(nx__dbt_hooks(p, n, "post-hook", err));
    n->response = nx_arena_printf(&p->arena, "INSERT %lld", (long long)n->rows_added);
    return n->response == NULL ? nx_nomem(err) : NX_OK;
}
