/* Methods of strings that cut them into parts, and join(). */
#include "transform/jinja_int.h"

#define METHOD(name)                                                                                                   \
    static nx_status m_##name(nx_jrun *run, const nx_jval *self, NX_UNUSED const nx_jval **p,                          \
                              NX_UNUSED const nx_jargs *args, nx_jval *ret)

static nx_status add_str(nx_jrun *run, nx_jval *list, nx_str s)
{
    return nx_jlist_add(run, list, nx_jval_str(s), run->err);
}

/* Words parted by white space; what is left after max cuts stays as it is. */
static nx_status split_space(nx_jrun *run, nx_str s, int64_t max, bool right, nx_jval *list)
{
    for (s = nx__jstr_strip(s, NULL, !right, right); s.n > 0; max--) {
        if (max == 0)
            return add_str(run, list, s);
        size_t cut = right ? 0 : s.n;
        for (size_t i = 0, from = 0; i < s.n; from = i) {
            if (!nx__jstr_space(nx_utf8_get(s, &i)))
                continue;
            cut = right ? i : from;
            if (!right)
                break;
        }
        NX_TRY(add_str(run, list, right ? nx_str_sub(s, cut, s.n) : nx_str_sub(s, 0, cut)));
        s = right ? nx__jstr_strip(nx_str_sub(s, 0, cut), NULL, false, true)
                  : nx__jstr_strip(nx_str_sub(s, cut, s.n), NULL, true, false);
    }
    return NX_OK;
}

static nx_status split(nx_jrun *run, const nx_jval *self, const nx_jval **p, bool right, nx_jval *ret)
{
    nx_str sep, s = self->s;
    int64_t max;
    bool given = p[0] != NULL && p[0]->kind != NX_J_NONE;
    NX_TRY(nx__jarg_str(run, given ? p[0] : NULL, NX_STR(" "), "the separator of split()", &sep));
    NX_TRY(nx__jarg_int(run, p[1], -1, "the count of split()", &max));
    if (sep.n == 0)
        return jfail(run, "split() needs a separator that is not empty");
    NX_TRY(nx_jrun_list(run, ret, run->err));
    if (!given)
        NX_TRY(split_space(run, s, max, right, ret));
    for (; given; max--) {
        size_t hit = max == 0 ? SIZE_MAX : right && max > 0 ? nx__jstr_find_last(s, sep) : nx_str_find(s, sep, 0);
        if (hit == SIZE_MAX) {
            NX_TRY(add_str(run, ret, s));
            break;
        }
        bool back = right && max > 0;
        NX_TRY(add_str(run, ret, back ? nx_str_sub(s, hit + sep.n, s.n) : nx_str_sub(s, 0, hit)));
        s = back ? nx_str_sub(s, 0, hit) : nx_str_sub(s, hit + sep.n, s.n);
    }
    bool backwards = right && (!given || max >= 0 || (p[1] != NULL && p[1]->kind == NX_J_INT && p[1]->i > 0));
    for (size_t i = 0, n = ret->list->n; backwards && i < n / 2; i++) {
        nx_jval t = ret->list->v[i];
        ret->list->v[i] = ret->list->v[n - 1 - i];
        ret->list->v[n - 1 - i] = t;
    }
    return NX_OK;
}

METHOD(split)
{
    return split(run, self, p, false, ret);
}

METHOD(rsplit)
{
    return split(run, self, p, true, ret);
}

METHOD(splitlines)
{
    bool keep = p[0] != NULL && nx_jval_truth(p[0]);
    nx_str s = self->s;
    NX_TRY(nx_jrun_list(run, ret, run->err));
    while (s.n > 0) {
        size_t i = 0;
        while (i < s.n && s.p[i] != '\n' && s.p[i] != '\r')
            i++;
        size_t end = i;
        if (end < s.n)
            end += s.p[end] == '\r' && end + 1 < s.n && s.p[end + 1] == '\n' ? 2 : 1;
        NX_TRY(add_str(run, ret, nx_str_sub(s, 0, keep ? end : i)));
        s = nx_str_sub(s, end, s.n);
    }
    return NX_OK;
}

static nx_status partition(nx_jrun *run, const nx_jval *self, const nx_jval **p, bool right, nx_jval *ret)
{
    nx_str sep, s = self->s;
    NX_TRY(nx__jarg_str(run, p[0], NX_STR(""), "the separator of partition()", &sep));
    if (sep.n == 0)
        return jfail(run, "partition() needs a separator that is not empty");
    size_t hit = right ? nx__jstr_find_last(s, sep) : nx_str_find(s, sep, 0);
    nx_str none = NX_STR("");
    nx_jval part[3] = {nx_jval_str(right ? none : s), nx_jval_str(none), nx_jval_str(right ? s : none)};
    if (hit != SIZE_MAX) {
        part[0] = nx_jval_str(nx_str_sub(s, 0, hit));
        part[1] = nx_jval_str(sep);
        part[2] = nx_jval_str(nx_str_sub(s, hit + sep.n, s.n));
    }
    return nx_jrun_tuple(run, part, 3, ret, run->err);
}

METHOD(partition)
{
    return partition(run, self, p, false, ret);
}

METHOD(rpartition)
{
    return partition(run, self, p, true, ret);
}

METHOD(join)
{
    const nx_jval *items;
    size_t n;
    NX_TRY(nx__jval_items(run, p[0], &items, &n));
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, run->opts.bytes_max);
    for (size_t i = 0; i < n; i++) {
        if (items[i].kind != NX_J_STR)
            return jfail(run, "join() needs strings, item %zu is of type '%s'", i, nx_jval_type(&items[i]));
        if ((i > 0 && nx_buf_add(&b, self->s) != NX_OK) || nx_buf_add(&b, items[i].s) != NX_OK)
            return nx__jnomem(run);
    }
    return nx__jbuf_val(run, &b, ret);
}

const jmethod_def nx__jmethods_split[] = {
    {"join", "iterable!", m_join},
    {"partition", "sep!", m_partition},
    {"rpartition", "sep!", m_rpartition},
    {"rsplit", "sep maxsplit", m_rsplit},
    {"split", "sep maxsplit", m_split},
    {"splitlines", "keepends", m_splitlines},
    {NULL, NULL, NULL},
};
