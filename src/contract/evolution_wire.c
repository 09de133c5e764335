/* How two versions are spelled on the wire: feeds, members, where the other columns come from. */
#include "contract/evolution_int.h"

static const nx_variant *match(const nx_contract *c, const nx_variant *v)
{
    for (size_t i = 0; i < c->n_variants; i++)
        if (nx_str_eq(c->variants[i].feed, v->feed) && nx_str_eq(c->variants[i].when_key, v->when_key) &&
            nx_str_eq(c->variants[i].when_value, v->when_value))
            return &c->variants[i];
    return NULL;
}

static bool has_feed(const nx_contract *c, nx_str feed)
{
    for (size_t i = 0; i < c->n_variants; i++)
        if (nx_str_eq(c->variants[i].feed, feed))
            return true;
    return false;
}

static const char *feed_text(nx_arena *a, const nx_variant *v)
{
    return v->when_key.n == 0 ? nx_arena_dup(a, v->feed)
                              : nx_arena_printf(a, NX_STR_FMT ", " NX_STR_FMT " is " NX_STR_FMT, NX_STR_ARG(v->feed),
                                                NX_STR_ARG(v->when_key), NX_STR_ARG(v->when_value));
}

static const char *key_of(nx_arena *a, const nx_variant *v, int16_t col)
{
    for (size_t i = 0; i < v->n_slots; i++)
        if (v->slots[i].col == col)
            return nx_arena_dup(a, v->slots[i].key);
    return "";
}

static nx_str const_of(const nx_variant *v, int16_t col)
{
    for (size_t i = 0; i < v->n_consts; i++)
        if (v->consts[i].col == col)
            return v->consts[i].text;
    return NX_STR("");
}

/* One feed entry that both have. */
static nx_status compare_variant(nx__evo *e, const nx_variant *was, const nx_variant *now)
{
    for (size_t i = 0; i < e->n_pairs; i++) {
        const nx__pair *p = &e->pairs[i];
        if (p->was < 0 || p->now < 0)
            continue;
        const char *at = e->now.c->schema.fields[p->now].name;
        const char *a = key_of(e->a, was, p->was), *b = key_of(e->a, now, p->now);
        if (a == NULL || b == NULL)
            return nx_nomem(e->err);
        if (strcmp(a, b) != 0)
            NX_TRY(nx__evo_note(e,
                                a[0] == '\0'   ? NX_CHANGE_wire_added
                                : b[0] == '\0' ? NX_CHANGE_wire_removed
                                               : NX_CHANGE_wire_renamed,
                                at, a, b));
        nx_str x = const_of(was, p->was), y = const_of(now, p->now);
        if (!nx_str_eq(x, y)) {
            const char *before = nx_arena_dup(e->a, x), *after = nx_arena_dup(e->a, y);
            if (before == NULL || after == NULL)
                return nx_nomem(e->err);
            NX_TRY(nx__evo_note(e, NX_CHANGE_meaning_changed, at, before, after));
        }
    }
    return NX_OK;
}

static nx_status compare_feeds(nx__evo *e)
{
    const nx_contract *old = e->old.c, *now = e->now.c;
    for (size_t i = 0; i < old->n_variants; i++) {
        const nx_variant *v = &old->variants[i], *w = match(now, v);
        const char *text = feed_text(e->a, v);
        if (text == NULL)
            return nx_nomem(e->err);
        if (w != NULL)
            NX_TRY(compare_variant(e, v, w));
        else
            NX_TRY(nx__evo_note(e, has_feed(now, v->feed) ? NX_CHANGE_feed_changed : NX_CHANGE_feed_removed, "feeds",
                                text, ""));
    }
    for (size_t i = 0; i < now->n_variants; i++) {
        const nx_variant *v = &now->variants[i];
        const char *text = feed_text(e->a, v);
        if (text == NULL)
            return nx_nomem(e->err);
        if (match(old, v) == NULL)
            NX_TRY(nx__evo_note(e, NX_CHANGE_feed_added, "feeds", "", text));
    }
    return NX_OK;
}

/* ------------------------------------------------------------------ where values come from */

static const char *form_name(nx_conv c)
{
    static const char *const names[] = {[NX_CONV_STRING] = "text",
                                        [NX_CONV_DECIMAL] = "number",
                                        [NX_CONV_DECIMAL_TEXT] = "decimal_text",
                                        [NX_CONV_INT] = "whole number",
                                        [NX_CONV_BOOL] = "true or false",
                                        [NX_CONV_TIME] = "rfc3339",
                                        [NX_CONV_EPOCH] = "epoch_seconds",
                                        [NX_CONV_EPOCH_OR_BOOL] = "epoch_seconds_or_bool",
                                        [NX_CONV_DATE] = "date",
                                        [NX_CONV_LIST] = "list",
                                        [NX_CONV_ONE_OR_MANY] = "one_or_many",
                                        [NX_CONV_IGNORE] = ""};
    return names[c];
}

static const char *source_name(const nx_colspec *s)
{
    if (s->derive != NULL)
        return s->derive;
    return s->source == NX_FROM_WIRE ? "wire" : s->source == NX_FROM_CONTEXT ? "context" : "its writer";
}

static nx_status compare_form(nx__evo *e, const nx_colspec *was, const nx_colspec *now, const char *at)
{
    bool wider = (was->conv == NX_CONV_DECIMAL && now->conv == NX_CONV_DECIMAL_TEXT) ||
                 (was->conv == NX_CONV_EPOCH && now->conv == NX_CONV_EPOCH_OR_BOOL) ||
                 (was->conv == NX_CONV_LIST && now->conv == NX_CONV_ONE_OR_MANY) ||
                 (was->conv == NX_CONV_INT && (now->conv == NX_CONV_DECIMAL || now->conv == NX_CONV_DECIMAL_TEXT));
    if (was->conv == now->conv)
        return NX_OK;
    return nx__evo_note(e, wider ? NX_CHANGE_wire_form_widened : NX_CHANGE_wire_form_changed, at, form_name(was->conv),
                        form_name(now->conv));
}

static nx_status compare_source(nx__evo *e, const nx__pair *p)
{
    const nx_colspec *was = &e->old.c->cols[p->was], *now = &e->now.c->cols[p->now];
    const char *at = e->now.c->schema.fields[p->now].name;
    if (was->derive != NULL && now->derive != NULL) {
        if (strcmp(was->derive, now->derive) != 0)
            NX_TRY(nx__evo_note(e, NX_CHANGE_meaning_changed, at, was->derive, now->derive));
        return NX_OK;
    }
    if (was->derive != NULL || now->derive != NULL || (was->source != now->source && !(was->context && now->context)))
        return nx__evo_note(e, NX_CHANGE_source_changed, at, source_name(was), source_name(now));
    if (was->context != now->context)
        NX_TRY(nx__evo_note(e, now->context ? NX_CHANGE_rule_loosened : NX_CHANGE_rule_tightened, at,
                            was->context ? "context" : "", now->context ? "context" : ""));
    return compare_form(e, was, now, at);
}

/* ------------------------------------------------------------------ the object's own */

static const char *column_or_none(const nx_contract *c, int16_t col)
{
    return col < 0 ? "" : c->schema.fields[col].name;
}

static nx_status compare_known(nx__evo *e)
{
    const nx_contract *old = e->old.c, *now = e->now.c;
    const char *text[2];
    for (int i = 0; i < 2; i++) {
        const nx_contract *c = i == 0 ? old : now;
        text[i] = nx_arena_printf(e->a, "%s%s%s", column_or_none(c, c->known_col),
                                  c->known_plus_col < 0 ? "" : " plus ", column_or_none(c, c->known_plus_col));
        if (text[i] == NULL)
            return nx_nomem(e->err);
    }
    return strcmp(text[0], text[1]) == 0 ? NX_OK
                                         : nx__evo_note(e, NX_CHANGE_meaning_changed, "knownAt", text[0], text[1]);
}

static bool lists(const nx_val *list, nx_str name)
{
    for (size_t i = 0; list != NULL && i < list->n; i++)
        if (nx_str_eq(list->items[i].s, name))
            return true;
    return false;
}

static nx_status compare_ignored(nx__evo *e)
{
    const nx_val *was = nx__odcs_custom(e->old.object, "ignore"), *now = nx__odcs_custom(e->now.object, "ignore");
    for (size_t i = 0; was != NULL && i < was->n; i++)
        if (!lists(now, was->items[i].s))
            NX_TRY(nx__evo_note(e, NX_CHANGE_ignore_removed, "ignore", was->items[i].s.p, ""));
    for (size_t i = 0; now != NULL && i < now->n; i++)
        if (!lists(was, now->items[i].s))
            NX_TRY(nx__evo_note(e, NX_CHANGE_ignore_added, "ignore", "", now->items[i].s.p));
    if (e->old.c->lone_surrogates != e->now.c->lone_surrogates)
        return nx__evo_note(e, e->now.c->lone_surrogates ? NX_CHANGE_rule_loosened : NX_CHANGE_rule_tightened,
                            "loneSurrogates", e->old.c->lone_surrogates ? "replace" : "refuse",
                            e->now.c->lone_surrogates ? "replace" : "refuse");
    return NX_OK;
}

nx_status nx__evo_wire(nx__evo *e)
{
    for (size_t i = 0; i < e->n_pairs; i++)
        if (e->pairs[i].was >= 0 && e->pairs[i].now >= 0)
            NX_TRY(compare_source(e, &e->pairs[i]));
    NX_TRY(compare_feeds(e));
    NX_TRY(compare_known(e));
    return compare_ignored(e);
}
