/* Pages of pulled sources, split without a tree: rows keep their bytes. */
#include "contract/contract.h"
#include "contract/scan_int.h"

enum { STEPS_MAX = 16 };

typedef enum step_kind { STEP_NAME, STEP_ANY, STEP_EACH } step_kind;

typedef struct step {
    step_kind kind;
    nx_str name;
} step;

typedef struct walk {
    nx_scan scan;
    step steps[STEPS_MAX];
    size_t n;
    nx_str key;   /* of the last '*' */
    nx_buf names; /* unescaped member names */
    nx_page_fn fn;
    void *ctx;
    nx_err *err;
} walk;

static bool add_step(walk *w, step_kind kind, nx_str name)
{
    if (w->n == STEPS_MAX)
        return false;
    w->steps[w->n++] = (step){kind, name};
    return true;
}

static bool parse_path(walk *w, nx_str path)
{
    nx_str part;
    while (nx_str_split(&path, '.', &part)) {
        bool each = nx_str_ends(part, NX_STR("[]"));
        if (each)
            part.n -= 2;
        if (part.n > 0 && !add_step(w, nx_str_is(part, "*") ? STEP_ANY : STEP_NAME, part))
            return false;
        if ((part.n == 0 && !each) || (each && !add_step(w, STEP_EACH, NX_STR(""))))
            return false;
    }
    return true;
}

static nx_status visit(walk *w, size_t at, nx_str value);

/* Member name between the quotes. An escaped one is unescaped into w->names; *ret is good until the next. */
static nx_status member_name(walk *w, nx_str raw, nx_str *ret)
{
    *ret = raw;
    if (memchr(raw.p, '\\', raw.n) == NULL)
        return NX_OK;
    nx_buf_clear(&w->names);
    NX_TRY(nx__unescape(&w->names, raw));
    *ret = nx_buf_str(&w->names);
    return NX_OK;
}

/* The text was checked as a whole: scanning cannot fail any more. */
static nx_status visit_members(walk *w, size_t at, nx_str value)
{
    const step *s = &w->steps[at];
    const char *p = nx__skip_space(value.p + 1, w->scan.end);
    while (*p == '"') {
        const char *q = nx__scan_string(&w->scan, p);
        nx_str raw = {p + 1, (size_t)(q - p) - 2}, name;
        NX_TRY(member_name(w, raw, &name));
        bool hit = s->kind == STEP_ANY || nx_str_eq(name, s->name);
        p = nx__scan_colon(&w->scan, q);
        q = nx__scan_value(&w->scan, p, 1);
        if (hit) {
            nx_str outer = w->key;
            if (s->kind == STEP_ANY)
                w->key = raw; /* symbols and group names have no escapes; raw bytes live as long as the page */
            NX_TRY(visit(w, at + 1, (nx_str){p, (size_t)(q - p)}));
            w->key = outer;
        }
        p = nx__skip_space(q, w->scan.end);
        p = *p == ',' ? nx__skip_space(p + 1, w->scan.end) : p;
    }
    return NX_OK;
}

static nx_status visit_items(walk *w, size_t at, nx_str value)
{
    const char *p = nx__skip_space(value.p + 1, w->scan.end);
    while (*p != ']') {
        const char *q = nx__scan_value(&w->scan, p, 1);
        NX_TRY(visit(w, at + 1, (nx_str){p, (size_t)(q - p)}));
        p = nx__skip_space(q, w->scan.end);
        p = *p == ',' ? nx__skip_space(p + 1, w->scan.end) : p;
    }
    return NX_OK;
}

/* value is the text of one value, beginning with its first byte. Recursion is as deep as the path. */
static nx_status visit(walk *w, size_t at, nx_str value)
{
    if (at == w->n)
        return w->fn(w->ctx, w->key, value, w->err);
    if (w->steps[at].kind == STEP_EACH)
        return value.p[0] == '[' ? visit_items(w, at, value) : NX_OK;
    return value.p[0] == '{' ? visit_members(w, at, value) : NX_OK;
}

nx_status nx_page_each(nx_str page, const char *path, nx_page_fn fn, void *ctx, nx_err *err)
{
    walk w = {.fn = fn, .ctx = ctx, .err = err, .key = NX_STR("")};
    nx_str text = nx_str_trim(page);
    if (!parse_path(&w, nx_str_of(path)))
        return nx_fail(err, NX_INVALID, "'%s' is no path into a page", path);
    w.scan.end = text.p + text.n;
    const char *q = nx__scan_value(&w.scan, text.p, 0);
    if (q != NULL && q != w.scan.end)
        q = nx__scan_broken(&w.scan, q, "nothing expected behind the end");
    if (q == NULL)
        return nx_fail(err, NX_INVALID, "a page of %zu bytes is no JSON: byte %zu: %s", page.n,
                       (size_t)(w.scan.bad - page.p), w.scan.what);
    nx_buf_init(&w.names, 0);
    nx_status st = visit(&w, 0, text);
    nx_buf_drop(&w.names);
    return st;
}
