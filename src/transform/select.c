/* Node selection: dbt's command-line grammar over the parsed graph. A set is an array of bool by node->idx. */
#include "transform/select_int.h"

/* ---- one token ---- */

static bool is_word(nx_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' ||
              c == '-'))
            return false;
    }
    return s.n > 0;
}

nx_status nx__select_bad(nx_str text, const char *why, nx_err *err)
{
    nx_status st = nx_fail(err, NX_INVALID, "could not read the selector '" NX_STR_FMT "': %s", NX_STR_ARG(text), why);
    return nx_err_hint(
        err, st, "examples: my_model, +my_model, my_model+2, tag:nightly, path:models/gold, source:bronze.trades");
}

/* [@][N+][method[.arg]:]value[+N] */
static nx_status parse_spec(nx_str text, dbt_spec *ret, nx_err *err)
{
    nx_str s = text;
    *ret = (dbt_spec){.up = -1, .down = -1, .text = text};
    if (s.n > 0 && s.p[0] == '@') {
        ret->childrens_parents = true;
        s = nx_str_sub(s, 1, s.n);
    }
    size_t digits = 0;
    while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
        digits++;
    if (digits < s.n && s.p[digits] == '+') {
        ret->parents = true;
        if (digits > 0 && !nx_str_to_i64(nx_str_sub(s, 0, digits), &ret->up))
            return nx__select_bad(text, "the number of generations is too large", err);
        s = nx_str_sub(s, digits + 1, s.n);
    }
    size_t end = s.n;
    while (end > 0 && s.p[end - 1] >= '0' && s.p[end - 1] <= '9')
        end--;
    if (end > 0 && s.p[end - 1] == '+') {
        ret->children = true;
        if (end < s.n && !nx_str_to_i64(nx_str_sub(s, end, s.n), &ret->down))
            return nx__select_bad(text, "the number of generations is too large", err);
        s = nx_str_sub(s, 0, end - 1);
    }
    if (ret->childrens_parents && ret->children)
        return nx__select_bad(text, "'@' and a trailing '+' contradict each other", err);
    size_t colon = nx_str_find(s, NX_STR(":"), 0);
    if (colon != SIZE_MAX && is_word(nx_str_sub(s, 0, colon))) {
        ret->method = nx_str_sub(s, 0, colon);
        s = nx_str_sub(s, colon + 1, s.n);
        size_t dot = nx_str_find(ret->method, NX_STR("."), 0);
        if (dot != SIZE_MAX) {
            ret->arg = nx_str_sub(ret->method, dot + 1, ret->method.n);
            ret->method = nx_str_sub(ret->method, 0, dot);
        }
    }
    ret->value = s;
    if (s.n == 0)
        return nx__select_bad(text, "nothing is named", err);
    if (ret->method.n == 0) {
        bool file = nx_str_ends(s, NX_STR(".sql")) || nx_str_ends(s, NX_STR(".csv"));
        bool path = nx_str_find(s, NX_STR("/"), 0) != SIZE_MAX;
        ret->method = path ? NX_STR("path") : file ? NX_STR("file") : NX_STR("fqn");
    }
    return NX_OK;
}

/* ---- sets ---- */

/* What lies within `depth` steps along one direction (-1: all). */
static void spread(const dbt_node *n, bool up, int64_t depth, bool *set)
{
    if (depth == 0)
        return;
    const dbt_list *l = up ? &n->deps : &n->children;
    for (size_t i = 0; i < l->n; i++) {
        const dbt_node *to = l->v[i];
        if (set[to->idx] && depth < 0)
            continue; /* everything beyond it is in, too */
        set[to->idx] = true;
        spread(to, up, depth < 0 ? depth : depth - 1, set);
    }
}

/* Tests any of whose parents are in the set come along ("eager"). */
static void add_tests(dbt_project *p, bool *set)
{
    for (size_t i = 0; i < p->nodes.n; i++) {
        const dbt_node *t = p->nodes.v[i];
        for (size_t k = 0; t->kind == DBT_TEST && !set[i] && k < t->deps.n; k++)
            set[i] = set[((const dbt_node *)t->deps.v[k])->idx];
    }
}

static nx_status bool_set(dbt_project *p, bool **ret, nx_err *err)
{
    *ret = NX_ARENA_ARRAY(&p->arena, bool, p->nodes.n + 1);
    return *ret == NULL ? nx_nomem(err) : NX_OK;
}

static nx_status criterion(dbt_project *p, nx_str text, bool *set, nx_err *err)
{
    dbt_spec s;
    bool *direct;
    NX_TRY(parse_spec(text, &s, err));
    NX_TRY(bool_set(p, &direct, err));
    NX_TRY(nx__select_matching(p, &s, direct, err));
    bool *up, *down;
    NX_TRY(bool_set(p, &up, err));
    NX_TRY(bool_set(p, &down, err));
    for (size_t i = 0; i < p->nodes.n; i++) {
        if (!direct[i])
            continue;
        if (s.parents)
            spread(p->nodes.v[i], true, s.up, up);
        if (s.children || s.childrens_parents)
            spread(p->nodes.v[i], false, s.childrens_parents ? -1 : s.down, down);
    }
    if (s.childrens_parents)
        for (size_t i = 0; i < p->nodes.n; i++)
            if (direct[i] || down[i])
                spread(p->nodes.v[i], true, -1, up);
    for (size_t i = 0; i < p->nodes.n; i++)
        set[i] = direct[i] || up[i] || down[i];
    add_tests(p, set);
    return NX_OK;
}

/* "a,b": what all of them select. */
static nx_status intersection(dbt_project *p, nx_str text, bool *set, nx_err *err)
{
    bool *one;
    nx_str part;
    NX_TRY(bool_set(p, &one, err));
    for (size_t i = 0; i < p->nodes.n; i++)
        set[i] = true;
    while (nx_str_split(&text, ',', &part)) {
        NX_TRY(criterion(p, nx_str_trim(part), one, err));
        for (size_t i = 0; i < p->nodes.n; i++)
            set[i] = set[i] && one[i];
    }
    return NX_OK;
}

static nx_status union_of(dbt_project *p, const char *const *texts, bool *set, nx_err *err)
{
    bool *one;
    NX_TRY(bool_set(p, &one, err));
    for (size_t k = 0; texts[k] != NULL; k++) {
        nx_str rest = nx_str_of(texts[k]), part;
        while (nx_str_split(&rest, ' ', &part)) {
            if (part.n == 0)
                continue;
            NX_TRY(intersection(p, part, one, err));
            size_t hits = 0;
            for (size_t i = 0; i < p->nodes.n; i++) {
                set[i] = set[i] || one[i];
                hits += one[i];
            }
            if (hits == 0)
                nx__dbt_say(p, "[WARNING]: The selection criterion '" NX_STR_FMT "' does not match any enabled nodes",
                            NX_STR_ARG(part));
        }
    }
    return NX_OK;
}

/* ---- what a command may touch ---- */

static bool type_wanted(const dbt_project *p, const dbt_node *n)
{
    static const struct {
        const char *command;
        unsigned kinds;
    } TABLE[] = {{"build", 1u << DBT_MODEL | 1u << DBT_SEED | 1u << DBT_SNAPSHOT | 1u << DBT_TEST | 1u << DBT_EXPOSURE},
                 {"run", 1u << DBT_MODEL},
                 {"test", 1u << DBT_TEST},
                 {"seed", 1u << DBT_SEED},
                 {"snapshot", 1u << DBT_SNAPSHOT},
                 {"compile", 1u << DBT_MODEL | 1u << DBT_SNAPSHOT | 1u << DBT_TEST},
                 {"source freshness", 1u << DBT_SOURCE}};
    unsigned kinds = ~0u;
    for (size_t i = 0; i < NX_COUNT_OF(TABLE); i++)
        if (strcmp(p->o->command, TABLE[i].command) == 0)
            kinds = TABLE[i].kinds;
    if ((kinds & 1u << n->kind) == 0)
        return false;
    if (p->o->resource_types == NULL || p->o->resource_types[0] == NULL)
        return true;
    for (size_t i = 0; p->o->resource_types[i] != NULL; i++)
        if (strcmp(p->o->resource_types[i], nx__dbt_kind_name(n->kind)) == 0 ||
            strcmp(p->o->resource_types[i], "all") == 0)
            return true;
    return false;
}

static nx_status check_types(const dbt_project *p, nx_err *err)
{
    static const char *const TYPES[] = {"model", "seed", "snapshot", "test", "source", "exposure", "all"};
    for (size_t i = 0; p->o->resource_types != NULL && p->o->resource_types[i] != NULL; i++) {
        bool known = false;
        for (size_t k = 0; k < NX_COUNT_OF(TYPES); k++)
            known = known || strcmp(p->o->resource_types[i], TYPES[k]) == 0;
        if (!known)
            return nx_fail(
                err, NX_INVALID,
                "--resource-type %s: this runner knows model, seed, snapshot, test, source, exposure and all",
                p->o->resource_types[i]);
    }
    return NX_OK;
}

nx_status nx__dbt_select(dbt_project *p, nx_err *err)
{
    bool *in, *out;
    NX_TRY(check_types(p, err));
    if (p->o->indirect_selection != NULL && strcmp(p->o->indirect_selection, "eager") != 0)
        return nx_fail(err, NX_UNSUPPORTED, "--indirect-selection %s is not supported by this runner, only eager",
                       p->o->indirect_selection);
    NX_TRY(bool_set(p, &in, err));
    NX_TRY(bool_set(p, &out, err));
    if (p->o->select == NULL || p->o->select[0] == NULL)
        memset(in, true, p->nodes.n * sizeof *in);
    else
        NX_TRY(union_of(p, p->o->select, in, err));
    if (p->o->exclude != NULL)
        NX_TRY(union_of(p, p->o->exclude, out, err));
    for (size_t i = 0; i < p->nodes.n; i++) {
        dbt_node *n = p->nodes.v[i];
        n->selected = in[i] && !out[i] && type_wanted(p, n);
    }
    return NX_OK;
}
