#include "app/config.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "data/json.h"
#include "data/yaml.h"
#include "io/secret.h"

extern char **environ;

typedef struct conf_slot {
    bool null;
    const char *text; /* scalars */
    int64_t num;      /* INT, DURATION, BOOL */
    const char **list;
} conf_slot;

struct nx_config {
    nx_arena arena;
    conf_slot *slots; /* one a key */
};

static size_t key_index(nx_str name)
{
    for (size_t i = 0; nx_conf_keys[i].name != NULL; i++)
        if (nx_str_is(name, nx_conf_keys[i].name))
            return i;
    return SIZE_MAX;
}

static size_t key_count(void)
{
    size_t n = 0;
    while (nx_conf_keys[n].name != NULL)
        n++;
    return n;
}

/* True when some key lies below this one: "lake" for "lake.root". */
static bool is_section(nx_str name)
{
    for (size_t i = 0; nx_conf_keys[i].name != NULL; i++) {
        nx_str k = nx_str_of(nx_conf_keys[i].name);
        if (k.n > name.n && nx_str_starts(k, name) && k.p[name.n] == '.')
            return true;
    }
    return false;
}

static nx_status unknown_key(nx_str name, const char *where, nx_err *err)
{
    const char *names[128];
    size_t n = 0;
    for (; n < 128 && nx_conf_keys[n].name != NULL; n++)
        names[n] = nx_conf_keys[n].name;
    nx_fail(err, NX_INVALID, "%s: unknown key '" NX_STR_FMT "'", where, NX_STR_ARG(name));
    size_t near = nx_str_nearest(name, names, n);
    if (near != SIZE_MAX)
        return nx_err_hint(err, NX_INVALID, "did you mean %s?", names[near]);
    return nx_err_hint(err, NX_INVALID, "nexus help config lists every key");
}

/* "10s", "250ms", "15m", "48h", "7d" in ms. */
static bool parse_duration(nx_str s, int64_t *ret_ms)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    size_t d = 0;
    while (d < s.n && isdigit((unsigned char)s.p[d]))
        d++;
    int64_t n;
    if (!nx_str_to_i64(nx_str_sub(s, 0, d), &n))
        return false;
    for (size_t i = 0; i < NX_COUNT_OF(units); i++)
        if (nx_str_is(nx_str_sub(s, d, s.n), units[i].unit))
            return !__builtin_mul_overflow(n, units[i].ms, ret_ms);
    return false;
}

static bool address_ok(nx_str s)
{
    size_t colon = s.n;
    while (colon > 0 && s.p[colon - 1] != ':')
        colon--;
    int64_t port;
    return colon > 1 && nx_str_to_i64(nx_str_sub(s, colon, s.n), &port) && port >= 0 && port <= 65535;
}

static nx_status bad_value(const nx_conf_key *k, const char *where, nx_str got, const char *want, nx_err *err)
{
    bool secret = nx_str_find(nx_str_of(k->help), NX_STR("reference"), 0) != SIZE_MAX;
    nx_fail(err, NX_INVALID, "%s: %s must be %s, not '" NX_STR_FMT "'", where, k->name, want,
            NX_STR_ARG(secret ? NX_STR("***") : got));
    return nx_err_hint(err, NX_INVALID, "%s: %s", k->name, k->help);
}

static nx_status set_scalar(nx_config *c, const nx_conf_key *k, conf_slot *s, const nx_val *v, const char *where,
                            nx_err *err)
{
    char want[96];
    nx_str t = v->kind == NX_VAL_BOOL ? (v->b ? NX_STR("true") : NX_STR("false")) : v->s;
    if (v->kind == NX_VAL_OBJ || v->kind == NX_VAL_ARR)
        return bad_value(k, where, nx_str_of(nx_val_kind_name(v->kind)), "one value", err);
    s->text = nx_arena_dup(&c->arena, t);
    if (s->text == NULL)
        return nx_nomem(err);
    switch (k->type) {
    case NX_CONF_INT:
        snprintf(want, sizeof want, "a whole number from %lld to %lld", (long long)k->min, (long long)k->max);
        if (!nx_str_to_i64(t, &s->num) || s->num < k->min || s->num > k->max)
            return bad_value(k, where, t, want, err);
        break;
    case NX_CONF_DURATION:
        if (!parse_duration(t, &s->num) || s->num < k->min || s->num > k->max)
            return bad_value(k, where, t, "a duration such as 250ms, 10s, 15m, 48h or 7d within its range", err);
        break;
    case NX_CONF_BOOL:
        s->num = nx_str_is(t, "true");
        if (!s->num && !nx_str_is(t, "false"))
            return bad_value(k, where, t, "true or false", err);
        break;
    case NX_CONF_ADDRESS:
        if (!address_ok(t))
            return bad_value(k, where, t, "host:port", err);
        break;
    default:
        break;
    }
    return NX_OK;
}

static nx_status set_key(nx_config *c, size_t at, const nx_val *v, const char *where, nx_err *err)
{
    const nx_conf_key *k = &nx_conf_keys[at];
    conf_slot *s = &c->slots[at];
    if (v->kind == NX_VAL_NULL) {
        if (!k->nullable)
            return bad_value(k, where, NX_STR("null"), "set", err);
        *s = (conf_slot){.null = true};
        return NX_OK;
    }
    *s = (conf_slot){0};
    if (k->type == NX_CONF_TREE)
        return NX_OK;
    if (k->type != NX_CONF_LIST)
        return set_scalar(c, k, s, v, where, err);
    size_t n = v->kind == NX_VAL_ARR ? v->n : 1;
    const nx_val *items = v->kind == NX_VAL_ARR ? v->items : v;
    s->list = NX_ARENA_ARRAY(&c->arena, const char *, n + 1);
    if (s->list == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < n; i++) {
        if (items[i].kind != NX_VAL_STR && items[i].kind != NX_VAL_NUM && items[i].kind != NX_VAL_BOOL)
            return bad_value(k, where, nx_str_of(nx_val_kind_name(items[i].kind)), "a list of texts", err);
        /* an unquoted TRUE or ON is a ticker before it is a truth value */
        s->list[i] = nx_arena_dup(
            &c->arena, items[i].kind == NX_VAL_BOOL ? (items[i].b ? NX_STR("TRUE") : NX_STR("FALSE")) : items[i].s);
        if (s->list[i] == NULL)
            return nx_nomem(err);
    }
    return NX_OK;
}

static nx_status set_text(nx_config *c, nx_str key, nx_str text, const char *where, nx_err *err)
{
    size_t at = key_index(key);
    if (at == SIZE_MAX)
        return unknown_key(key, where, err);
    /* a scalar key takes the text as it is: "a: b" in a DSN is no mapping */
    nx_val raw = {.kind = NX_VAL_STR, .s = text};
    nx_val *v = &raw;
    nx_conf_type type = nx_conf_keys[at].type;
    if (type == NX_CONF_LIST || type == NX_CONF_TREE || nx_str_is(text, "null"))
        NX_TRY(nx_yaml_parse(text, where, &c->arena, &v, err));
    return set_key(c, at, v, where, err);
}

static nx_status take_tree(nx_config *c, const nx_val *v, const char *prefix, const char *file, nx_err *err)
{
    for (size_t i = 0; i < v->n; i++) {
        char name[256], where[512];
        snprintf(name, sizeof name, "%s%s" NX_STR_FMT, prefix, prefix[0] == '\0' ? "" : ".", NX_STR_ARG(v->keys[i]));
        snprintf(where, sizeof where, "%s line %d", file, v->items[i].line);
        size_t at = key_index(nx_str_of(name));
        if (at != SIZE_MAX)
            NX_TRY(set_key(c, at, &v->items[i], where, err));
        else if (!is_section(nx_str_of(name)))
            return unknown_key(nx_str_of(name), where, err);
        else if (v->items[i].kind == NX_VAL_OBJ)
            NX_TRY(take_tree(c, &v->items[i], name, file, err));
        else if (v->items[i].kind != NX_VAL_NULL)
            return nx_fail(err, NX_INVALID, "%s: %s is a section with keys of its own", where, name);
    }
    return NX_OK;
}

static nx_status take_file(nx_config *c, const char *file, nx_err *err)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 20);
    nx_val *root;
    nx_status st = nx_file_read(file, &b, err);
    if (st == NX_OK)
        st = nx_yaml_parse(nx_buf_str(&b), file, &c->arena, &root, err);
    if (st != NX_OK)
        return st;
    if (root->kind == NX_VAL_NULL)
        return NX_OK;
    if (root->kind != NX_VAL_OBJ)
        return nx_fail(err, NX_INVALID, "%s: a mapping of keys is expected, not %s", file,
                       nx_val_kind_name(root->kind));
    return take_tree(c, root, "", file, err);
}

/* NEXUS_LAKE__FLUSH__MAX_ROWS → lake.flush.max_rows. Only names with "__" and the one-word keys are ours: NEXUS_SHARED and
 * its like belong to others. */
static nx_status take_env(nx_config *c, nx_err *err)
{
    for (char **e = environ; *e != NULL; e++) {
        nx_str rest = nx_str_of(*e), var;
        if (!nx_str_starts(rest, NX_STR("NEXUS_")) || !nx_str_split(&rest, '=', &var) || rest.p == NULL)
            continue;
        char name[256];
        size_t n = 0;
        for (size_t i = 6; i < var.n && n + 1 < sizeof name; i++) {
            bool dot = var.p[i] == '_' && i + 1 < var.n && var.p[i + 1] == '_';
            name[n++] = dot ? '.' : (char)tolower((unsigned char)var.p[i]);
            i += dot;
        }
        nx_str key = {name, n};
        if (nx_str_find(key, NX_STR("."), 0) == SIZE_MAX && key_index(key) == SIZE_MAX)
            continue;
        char where[300];
        snprintf(where, sizeof where, "environment " NX_STR_FMT, NX_STR_ARG(var));
        NX_TRY(set_text(c, key, rest, where, err));
    }
    return NX_OK;
}

static nx_status load(nx_config *c, const char *file, const char *const *sets, size_t n_sets, nx_err *err)
{
    c->slots = NX_ARENA_ARRAY(&c->arena, conf_slot, key_count());
    if (c->slots == NULL)
        return nx_nomem(err);
    for (size_t i = 0; nx_conf_keys[i].name != NULL; i++) {
        if (nx_conf_keys[i].dflt == NULL)
            c->slots[i].null = true;
        else
            NX_TRY(set_text(c, nx_str_of(nx_conf_keys[i].name), nx_str_of(nx_conf_keys[i].dflt), "default", err));
    }
    if (file != NULL)
        NX_TRY(take_file(c, file, err));
    NX_TRY(take_env(c, err));
    for (size_t i = 0; i < n_sets; i++) {
        nx_str value = nx_str_of(sets[i]), key;
        if (!nx_str_split(&value, '=', &key) || value.p == NULL)
            return nx_fail(err, NX_INVALID, "--set %s: KEY=VALUE is expected", sets[i]);
        NX_TRY(set_text(c, key, value, "--set", err));
    }
    return NX_OK;
}

nx_status nx_config_load(const char *file, const char *const *sets, size_t n_sets, nx_config **ret, nx_err *err)
{
    nx_config *c = calloc(1, sizeof *c);
    if (c == NULL)
        return nx_nomem(err);
    nx_arena_init(&c->arena, 16 << 20);
    nx_status st = load(c, file, sets, n_sets, err);
    if (st != NX_OK) {
        nx_config_drop(c);
        return st;
    }
    *ret = c;
    return NX_OK;
}

void nx_config_drop(nx_config *c)
{
    if (c == NULL)
        return;
    nx_arena_drop(&c->arena);
    free(c);
}

static const conf_slot *slot_of(const nx_config *c, const char *key)
{
    size_t at = key_index(nx_str_of(key));
    assert(at != SIZE_MAX);
    return &c->slots[at];
}

const char *nx_config_str(const nx_config *c, const char *key)
{
    return slot_of(c, key)->text;
}

int64_t nx_config_i64(const nx_config *c, const char *key)
{
    return slot_of(c, key)->num;
}

const char *const *nx_config_list(const nx_config *c, const char *key)
{
    static const char *const none[] = {NULL};
    const conf_slot *s = slot_of(c, key);
    return s->list == NULL ? none : s->list;
}

nx_status nx_config_secret(const nx_config *c, const char *key, char **ret, nx_err *err)
{
    const conf_slot *s = slot_of(c, key);
    *ret = NULL;
    if (s->null || s->text == NULL)
        return NX_OK;
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 20);
    nx_status st = nx_secret_resolve(nx_str_of(s->text), &b, err);
    if (st != NX_OK) {
        nx_err_prefix(err, "configuration key %s", key);
        return st;
    }
    *ret = nx_buf_take(&b);
    return *ret == NULL ? nx_nomem(err) : NX_OK;
}
