/* nexus contract diff: what changed between versions of a contract, whom it breaks, and whether it may come out. */
#include <stdio.h>

#include "app/contract_cmds.h"
#include "app/report.h"
#include "contract/evolution.h"

enum { CELL_MAX = 44, COLUMNS = 5 };

/* ------------------------------------------------------------------ words */

static const char *directions(unsigned bits)
{
    static const char *const names[] = {"", "backward", "forward", "backward and forward"};
    return names[bits & NX_COMPAT_FULL];
}

static const char *bump_name(nx_bump b)
{
    static const char *const names[] = {"none", "patch", "minor", "major"};
    return names[b];
}

static size_t width_of(const char *s)
{
    size_t n = 0;
    for (; *s != '\0'; s++)
        n += ((unsigned char)*s & 0xC0) != 0x80;
    return n;
}

/* At most CELL_MAX characters; line breaks become spaces. */
static const char *cell(nx_project *p, const char *text)
{
    size_t n = 0, at = 0;
    while (text[at] != '\0' && n < CELL_MAX) {
        at++;
        while (((unsigned char)text[at] & 0xC0) == 0x80)
            at++;
        n++;
    }
    char *out = nx_arena_printf(&p->arena, "%.*s%s", (int)at, text, text[at] == '\0' ? "" : "…");
    for (char *c = out; c != NULL && *c != '\0'; c++)
        *c = *c == '\n' || *c == '_' ? ' ' : *c;
    return out;
}

static const char *class_of(nx_project *p, const nx_contract_change *c)
{
    if (c->breaks != 0)
        return nx_arena_printf(&p->arena, "breaks %s: %s", directions(c->breaks), c->why);
    if (c->risks != 0)
        return nx_arena_printf(&p->arena, "fits, a risk %s: %s", directions(c->risks), c->why);
    return nx_arena_printf(&p->arena, "fits: %s", c->why);
}

/* ------------------------------------------------------------------ table */

static void print_cells(const char *const *cells, const size_t *widths)
{
    for (size_t i = 0; i < COLUMNS; i++)
        printf("  %s%*s", cells[i], i + 1 == COLUMNS ? 0 : (int)(widths[i] - width_of(cells[i])), "");
    printf("\n");
}

static nx_status print_changes(nx_project *p, const nx_contract_diff *d, nx_err *err)
{
    static const char *const head[COLUMNS] = {"where", "change", "was", "now", "what it means"};
    size_t widths[COLUMNS];
    const char **cells = NX_ARENA_ARRAY(&p->arena, const char *, d->n *COLUMNS + 1);
    if (cells == NULL)
        return nx_nomem(err);
    for (size_t k = 0; k < COLUMNS; k++)
        widths[k] = width_of(head[k]);
    for (size_t i = 0; i < d->n; i++) {
        const nx_contract_change *c = &d->changes[i];
        const char **row = cells + i * COLUMNS;
        row[0] = c->at;
        row[1] = cell(p, c->kind);
        row[2] = cell(p, c->was);
        row[3] = cell(p, c->now);
        row[4] = class_of(p, c);
        for (size_t k = 0; k < COLUMNS; k++) {
            if (row[k] == NULL)
                return nx_nomem(err);
            size_t w = width_of(row[k]);
            widths[k] = w > widths[k] ? w : widths[k];
        }
    }
    print_cells(head, widths);
    size_t line = 0;
    for (size_t k = 0; k < COLUMNS; k++)
        line += widths[k] + 2;
    printf("  ");
    for (size_t k = 2; k < line; k++)
        printf("─");
    printf("\n");
    for (size_t i = 0; i < d->n; i++)
        print_cells(cells + i * COLUMNS, widths);
    printf("\n");
    return NX_OK;
}

static void print_verdict(const nx_contract_diff *d)
{
    if (d->older)
        printf("The new version is smaller than the old one.\n");
    if (d->refused)
        printf("Refused: it breaks %s%s, and the major version did not grow.\n",
               d->breaks == 0 ? "nobody, but is a risk " : "", directions(d->breaks == 0 ? d->risks : d->breaks));
    else if (d->breaks != 0 && d->moved == NX_BUMP_MAJOR)
        printf("It breaks %s, as a new major version may.\n", directions(d->breaks));
    else if (d->breaks != 0)
        printf("It breaks %s, which this mode lets pass.\n", directions(d->breaks));
    else if (d->n > 0)
        printf("Compatible.\n");
    if (!d->refused && d->bump > d->moved)
        printf("The changes ask for a new %s version.\n", bump_name(d->bump));
}

static nx_status print_diff(nx_project *p, const nx_contract_diff *d, nx_err *err)
{
    printf("%s → %s\n", nx_contract_id(d->old), nx_contract_id(d->now));
    if (d->n == 0) {
        printf("\nNo change.\n");
    } else {
        printf("\n");
        NX_TRY(print_changes(p, d, err));
    }
    print_verdict(d);
    return NX_OK;
}

/* ------------------------------------------------------------------ JSON */

static void bits_json(nx_jw *w, const char *key, unsigned bits)
{
    nx_jw_key(w, key);
    nx_jw_arr(w);
    if ((bits & NX_COMPAT_BACKWARD) != 0)
        nx_jw_cstr(w, "backward");
    if ((bits & NX_COMPAT_FORWARD) != 0)
        nx_jw_cstr(w, "forward");
    nx_jw_arr_end(w);
}

static void text_json(nx_jw *w, const char *key, const char *text)
{
    nx_jw_key(w, key);
    nx_jw_cstr(w, text);
}

static void diff_json(nx_jw *w, const nx_contract_diff *d)
{
    nx_jw_obj(w);
    text_json(w, "old", nx_contract_id(d->old));
    text_json(w, "old_file", nx_contract_file(d->old));
    nx_jw_key(w, "refused");
    nx_jw_bool(w, d->refused);
    bits_json(w, "breaks", d->breaks);
    bits_json(w, "risks", d->risks);
    text_json(w, "needs", bump_name(d->bump));
    text_json(w, "moved", bump_name(d->moved));
    nx_jw_key(w, "older");
    nx_jw_bool(w, d->older);
    nx_jw_key(w, "changes");
    nx_jw_arr(w);
    for (size_t i = 0; i < d->n; i++) {
        const nx_contract_change *c = &d->changes[i];
        nx_jw_obj(w);
        text_json(w, "change", c->kind);
        text_json(w, "at", c->at);
        text_json(w, "was", c->was);
        text_json(w, "now", c->now);
        bits_json(w, "breaks", c->breaks);
        bits_json(w, "risks", c->risks);
        text_json(w, "needs", bump_name(c->bump));
        text_json(w, "why", c->why);
        nx_jw_obj_end(w);
    }
    nx_jw_arr_end(w);
    nx_jw_obj_end(w);
}

static nx_status tell_json(nx_project *p, const nx_contract *now, const char *mode, const nx_evolution *e, nx_err *err)
{
    nx_report rep;
    nx_report_begin(&rep, p->g, "");
    nx_report_str(&rep, "new", nx_contract_id(now));
    nx_report_str(&rep, "new_file", nx_contract_file(now));
    nx_report_str(&rep, "mode", mode);
    nx_jw_bool(nx_report_json(&rep, "refused"), e->refused);
    nx_jw *w = nx_report_json(&rep, "comparisons");
    nx_jw_arr(w);
    for (size_t i = 0; i < e->n; i++)
        diff_json(w, &e->diffs[i]);
    nx_jw_arr_end(w);
    return nx_report_end(&rep, err);
}

/* ------------------------------------------------------------------ the command */

/* A file, or a table of the project's own contracts. */
static nx_status open_one(nx_project *p, const char *word, nx_contracts **own, const nx_contract **ret, nx_err *err)
{
    if (nx_file_exists(word) || strchr(word, '/') != NULL || nx_str_ends(nx_str_of(word), NX_STR(".yaml"))) {
        NX_TRY(nx_contracts_load_files(&word, 1, own, err));
        *ret = nx_contracts_at(*own, 0);
        return NX_OK;
    }
    if (p->contracts == NULL) {
        const char *dir;
        NX_TRY(nx_project_find(p, "contracts", &dir, err));
        NX_TRY(nx_contracts_load(dir, &p->contracts, err));
    }
    *ret = nx_contracts_find(p->contracts, word);
    if (*ret != NULL)
        return NX_OK;
    nx_fail(err, NX_NOT_FOUND, "there is neither a file %s nor a contract for a table of that name", word);
    return nx_err_hint(err, NX_NOT_FOUND, "name contract files, or a table of nexus contract ls");
}

static nx_status tell(nx_project *p, const nx_contract *now, const char *mode, const nx_evolution *e, nx_err *err)
{
    if (p->g->json) {
        NX_TRY(tell_json(p, now, mode, e, err));
    } else {
        for (size_t i = 0; i < e->n; i++) {
            printf("%s", i == 0 ? "" : "\n");
            NX_TRY(print_diff(p, &e->diffs[i], err));
        }
    }
    if (!e->refused)
        return NX_OK;
    nx_err_clear(err); /* told */
    if (!p->g->json)
        fprintf(stderr,
                "nexus: %s breaks its readers or writers in mode %s\n"
                "       give it a new major version, or change it in a way that fits\n",
                nx_contract_id(now), mode);
    return NX_CHECK_FAILED;
}

nx_status nx_contract_diff_cmd(nx_project *p, const nx_args *a, nx_err *err)
{
    const char *mode_text = nx_args_has(a, "--mode") ? nx_args_get(a, "--mode") : "full";
    const char *const *words = a->words + 1;
    size_t n = a->n_words - 1;
    nx_compat mode;
    NX_TRY(nx_compat_parse(mode_text, &mode, err));
    mode.strict = nx_args_has(a, "--strict");
    if (n < 2)
        return nx_err_hint(err, nx_fail(err, NX_INVALID, "an old and a new contract are needed"),
                           "nexus contract diff OLD NEW; with a -transitive mode: OLD… NEW");
    nx_contracts **own = NX_ARENA_ARRAY(&p->arena, nx_contracts *, n);
    const nx_contract **all = NX_ARENA_ARRAY(&p->arena, const nx_contract *, n);
    if (own == NULL || all == NULL)
        return nx_nomem(err);
    nx_status st = NX_OK;
    for (size_t i = 0; i < n && st == NX_OK; i++)
        st = open_one(p, words[i], &own[i], &all[i], err);
    if (st == NX_OK) {
        nx_evolution e;
        st = nx_contract_evolve(all, n - 1, all[n - 1], mode, &e, err);
        if (st == NX_OK)
            st = tell(p, all[n - 1], mode_text, &e, err);
        nx_evolution_drop(&e);
    }
    for (size_t i = 0; i < n; i++)
        nx_contracts_drop(own[i]);
    return st;
}
