#include "app/print.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "data/json.h"

const char *nx_print_count(int64_t n, char out[32])
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%lld", (long long)n);
    int at = 0;
    for (int i = 0; i < len; i++) {
        int left = len - i;
        if (i > 0 && digits[i - 1] != '-' && left % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

const char *nx_print_bytes(int64_t n, char out[32])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double v = (double)n;
    size_t u = 0;
    while (v >= 1000 && u + 1 < NX_COUNT_OF(units)) {
        v /= 1000;
        u++;
    }
    snprintf(out, 32, u == 0 ? "%.0f %s" : "%.1f %s", v, units[u]);
    return out;
}

static bool is_number(const char *type)
{
    static const char *const kinds[] = {"TINYINT",   "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT",
                                        "USMALLINT", "UINTEGER", "UBIGINT", "FLOAT",  "DOUBLE"};
    if (strncmp(type, "DECIMAL", 7) == 0)
        return true;
    for (size_t i = 0; i < NX_COUNT_OF(kinds); i++)
        if (strcmp(type, kinds[i]) == 0)
            return true;
    return false;
}

enum { CELL_MAX = 60 };

/* The cell's text, cut to CELL_MAX code points, control characters as spaces. */
static nx_status cell_text(const nx_result *r, size_t row, size_t col, nx_buf *b)
{
    nx_buf_clear(b);
    if (nx_result_is_null(r, row, col))
        return nx_buf_adds(b, "null");
    NX_TRY(nx_result_text(r, row, col, b));
    size_t seen = 0;
    for (size_t i = 0; i < b->n; i++) {
        if ((unsigned char)b->p[i] < 0x20 || b->p[i] == 0x7F)
            b->p[i] = ' ';
        seen += ((unsigned char)b->p[i] & 0xC0) != 0x80;
        if (seen > CELL_MAX) {
            b->n = i;
            return nx_buf_adds(b, "…");
        }
    }
    return NX_OK;
}

static void pad(FILE *f, size_t n)
{
    for (size_t i = 0; i < n; i++)
        fputc(' ', f);
}

static void rule(FILE *f, const size_t *w, size_t n)
{
    for (size_t c = 0; c < n; c++) {
        for (size_t i = 0; i < w[c]; i++)
            fputs("─", f);
        fputs(c + 1 < n ? "──" : "\n", f);
    }
}

static nx_status print_table(FILE *f, const nx_result *r, size_t rows_max, nx_err *err)
{
    size_t cols = nx_result_cols(r), rows = nx_result_rows(r);
    size_t shown = rows_max > 0 && rows > rows_max ? rows_max : rows;
    NX_ARENA_AUTO nx_arena a;
    NX_BUF_AUTO nx_buf b;
    nx_arena_init(&a, 1 << 20);
    nx_buf_init(&b, 0);
    size_t *w = NX_ARENA_ARRAY(&a, size_t, cols + 1);
    if (w == NULL)
        return nx_nomem(err);
    for (size_t c = 0; c < cols; c++) {
        w[c] = nx_utf8_count(nx_str_of(nx_result_name(r, c)));
        for (size_t i = 0; i < shown; i++) {
            NX_TRY(cell_text(r, i, c, &b));
            size_t n = nx_utf8_count(nx_buf_str(&b));
            w[c] = n > w[c] ? n : w[c];
        }
    }
    for (size_t c = 0; c < cols; c++) {
        nx_str name = nx_str_of(nx_result_name(r, c));
        size_t gap = w[c] - nx_utf8_count(name);
        bool right = is_number(nx_result_type(r, c));
        pad(f, right ? gap : 0);
        fwrite(name.p, 1, name.n, f);
        pad(f, c + 1 == cols ? 0 : (right ? 0 : gap) + 2);
    }
    fputc('\n', f);
    rule(f, w, cols);
    for (size_t i = 0; i < shown; i++) {
        for (size_t c = 0; c < cols; c++) {
            NX_TRY(cell_text(r, i, c, &b));
            size_t gap = w[c] - nx_utf8_count(nx_buf_str(&b));
            bool right = is_number(nx_result_type(r, c));
            pad(f, right ? gap : 0);
            fwrite(b.p, 1, b.n, f);
            pad(f, c + 1 == cols ? 0 : (right ? 0 : gap) + 2);
        }
        fputc('\n', f);
    }
    if (shown < rows)
        fprintf(f, "(%zu of %zu rows)\n", shown, rows);
    return NX_OK;
}

static nx_status csv_cell(FILE *f, nx_str s)
{
    bool quote = s.n == 0;
    for (size_t i = 0; i < s.n && !quote; i++)
        quote = s.p[i] == ',' || s.p[i] == '"' || s.p[i] == '\n' || s.p[i] == '\r';
    if (!quote) {
        fwrite(s.p, 1, s.n, f);
        return NX_OK;
    }
    fputc('"', f);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            fputc('"', f);
        fputc(s.p[i], f);
    }
    fputc('"', f);
    return NX_OK;
}

static nx_status print_csv(FILE *f, const nx_result *r)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    size_t cols = nx_result_cols(r);
    for (size_t c = 0; c < cols; c++) {
        NX_TRY(csv_cell(f, nx_str_of(nx_result_name(r, c))));
        fputc(c + 1 < cols ? ',' : '\n', f);
    }
    for (size_t i = 0; i < nx_result_rows(r); i++)
        for (size_t c = 0; c < cols; c++) {
            nx_buf_clear(&b);
            if (!nx_result_is_null(r, i, c)) {
                NX_TRY(nx_result_text(r, i, c, &b));
                NX_TRY(csv_cell(f, nx_buf_str(&b)));
            }
            fputc(c + 1 < cols ? ',' : '\n', f);
        }
    return NX_OK;
}

static nx_status print_json(FILE *f, const nx_result *r)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    size_t cols = nx_result_cols(r);
    fputs("{\"columns\":[", f);
    for (size_t c = 0; c < cols; c++) {
        nx_buf_clear(&b);
        NX_TRY(nx_buf_quote(&b, nx_str_of(nx_result_name(r, c))));
        fprintf(f, "%s%s", c == 0 ? "" : ",", b.p);
    }
    fputs("],\"rows\":[", f);
    for (size_t i = 0; i < nx_result_rows(r); i++) {
        fputs(i == 0 ? "[" : ",[", f);
        for (size_t c = 0; c < cols; c++) {
            nx_buf_clear(&b);
            NX_TRY(nx_result_json(r, i, c, &b));
            if (c > 0)
                fputc(',', f);
            fwrite(b.p, 1, b.n, f);
        }
        fputc(']', f);
    }
    fputs("]}\n", f);
    return NX_OK;
}

nx_status nx_print_result(FILE *f, const nx_result *r, nx_out_form form, size_t rows_max, nx_err *err)
{
    nx_status st = form == NX_OUT_TABLE ? print_table(f, r, rows_max, err)
                   : form == NX_OUT_CSV ? print_csv(f, r)
                                        : print_json(f, r);
    if (st == NX_OK && ferror(f))
        return nx_fail_sys(err, NX_IO, "could not write the rows");
    if (st != NX_OK && (err == NULL || err->status == NX_OK))
        return nx_fail(err, st, "could not print the rows: %s", nx_status_text(st));
    return st;
}

/* A terminal that can go back to the start of a line and clear it. */
static bool can_redraw(void)
{
    const char *term = getenv("TERM");
    return isatty(STDERR_FILENO) == 1 && term != NULL && term[0] != '\0' && strcmp(term, "dumb") != 0;
}

/* A line that is wider than the terminal would wrap, and could not be redrawn. */
static size_t columns(void)
{
    struct winsize w;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0 ? w.ws_col : 80;
}

void nx_progress_begin(nx_progress *p, const nx_globals *g, const char *what)
{
    *p = (nx_progress){
        .on = !g->no_progress && !g->quiet, .tty = can_redraw(), .what = what, .started = nx_clock_mono()};
    p->last = p->started;
}

void nx_progress_set(nx_progress *p, int64_t done, int64_t total, const char *unit)
{
    uint64_t now = nx_clock_mono();
    uint64_t every = p->tty ? 100000000u : 10000000000u;
    if (!p->on || now - p->last < every)
        return;
    p->last = now;
    char line[256], n[32], t[32], r[32];
    double s = (double)(now - p->started) / 1e9;
    nx_print_count(done, n);
    nx_print_count((int64_t)((double)done / (s > 0 ? s : 1)), r);
    if (total > 0) {
        int part = (int)(20 * (done > total ? total : done) / total);
        snprintf(line, sizeof line, "%s [%.*s%.*s] %s of %s %s, %s/s", p->what, part, "####################", 20 - part,
                 "....................", n, nx_print_count(total, t), unit, r);
    } else {
        snprintf(line, sizeof line, "%s: %s %s, %s/s", p->what, n, unit, r);
    }
    if (p->tty)
        fprintf(stderr, "\r\033[K%.*s", (int)columns() - 1, line);
    else
        fprintf(stderr, "%s\n", line);
    fflush(stderr);
}

void nx_progress_end(nx_progress *p)
{
    if (p->on && p->tty)
        fputs("\r\033[K", stderr);
    p->on = false;
}
