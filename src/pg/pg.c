/* pg/pg.c - connections and statements. */
#include <stdarg.h>
#include <stdlib.h>

#include "base/log.h"
#include "pg/pg_int.h"

enum { SERVER_VERSION_MIN = 150000 };

/* ------------------------------------------------------------------ errors */

static bool in_class(const char *state, const char *cls)
{
    return strncmp(state, cls, strlen(cls)) == 0;
}

static nx_status status_of(const char *state, bool *ret_retriable)
{
    static const struct {
        const char *cls;
        nx_status status;
        bool retriable;
    } map[] = {
        {"40", NX_CONFLICT, true},      /* serialization failure, deadlock */
        {"55P03", NX_CONFLICT, true},   /* lock not available */
        {"57014", NX_CANCELLED, false}, /* cancelled */
        {"57", NX_REMOTE, true},        /* shutting down, starting up */
        {"08", NX_REMOTE, true},        /* connection */
        {"53", NX_REMOTE, true},        /* disk full, out of memory, too many connections */
        {"22", NX_CHECK_FAILED, false}, /* data */
        {"23", NX_CHECK_FAILED, false}, /* constraints */
        {"0A", NX_UNSUPPORTED, false},  {"42P01", NX_NOT_FOUND, false}, /* no such table */
        {"42", NX_INVALID, false},                                      /* syntax, access rules */
        {"28", NX_REMOTE, false},                                       /* authorization */
    };
    for (size_t i = 0; i < NX_COUNT_OF(map); i++) {
        if (in_class(state, map[i].cls)) {
            *ret_retriable = map[i].retriable;
            return map[i].status;
        }
    }
    *ret_retriable = false;
    return NX_REMOTE;
}

static nx_status lost(nx_pg *c, nx_err *err)
{
    const char *why = PQerrorMessage(c->conn);
    nx_str text = nx_str_trim(nx_str_of(why));
    nx_str line;
    nx_str_split(&text, '\n', &line);
    nx_fail(err, NX_REMOTE, "PostgreSQL: " NX_STR_FMT, NX_STR_ARG(line));
    nx_err_hint(err, NX_REMOTE, "the connection was lost: look at the server, then run again");
    if (err != NULL) {
        err->retriable = true;
        nx_log_scrub(err->text, sizeof err->text);
    }
    return NX_REMOTE;
}

nx_status nx__pg_error(nx_pg *c, PGresult *r, nx_err *err)
{
    const char *state = r == NULL ? NULL : PQresultErrorField(r, PG_DIAG_SQLSTATE);
    if (state == NULL || PQstatus(c->conn) == CONNECTION_BAD) {
        PQclear(r);
        return lost(c, err);
    }
    const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY),
               *detail = PQresultErrorField(r, PG_DIAG_MESSAGE_DETAIL);
    const char *context = PQresultErrorField(r, PG_DIAG_CONTEXT), *hint = PQresultErrorField(r, PG_DIAG_MESSAGE_HINT);
    const char *more = detail != NULL ? detail : context;
    bool retriable;
    nx_status st = status_of(state, &retriable);
    nx_fail(err, st, "PostgreSQL %s: %s%s%s", state, text == NULL ? "no reason given" : text, more == NULL ? "" : ": ",
            more == NULL ? "" : more);
    if (hint != NULL)
        nx_err_hint(err, st, "%s", hint);
    if (err != NULL)
        err->retriable = retriable;
    PQclear(r);
    return st;
}

/* ------------------------------------------------------------------ connections */

static void no_notices(void *arg, const PGresult *r)
{
    (void)arg;
    (void)r;
}

/* Options of the caller plus our defaults, as libpq wants them; PQconninfoFree(opts) frees the texts. */
static nx_status split_dsn(const char *dsn, const char **keys, const char **values, size_t cap, PQconninfoOption **ret,
                           nx_err *err)
{
    static const char *const defaults[][2] = {
        {"connect_timeout", "10"}, {"fallback_application_name", "nexus"}, {"client_encoding", "UTF8"}};
    char *why = NULL; /* may quote the text, password and all: not shown */
    PQconninfoOption *opts = PQconninfoParse(dsn, &why);
    PQfreemem(why);
    if (opts == NULL) {
        nx_fail(err, NX_INVALID, "could not connect to PostgreSQL: the connection string is malformed");
        return nx_err_hint(err, NX_INVALID,
                           "write \"host=… port=… dbname=… user=…\" or \"postgresql://user@host:port/dbname\"");
    }
    size_t n = 0;
    for (size_t i = 0; i < NX_COUNT_OF(defaults); i++) {
        keys[n] = defaults[i][0];
        values[n++] = defaults[i][1];
    }
    for (PQconninfoOption *o = opts; o->keyword != NULL && n + 1 < cap; o++) {
        if (o->val == NULL)
            continue;
        if (strcmp(o->keyword, "password") == 0)
            nx_log_hide(o->val);
        keys[n] = o->keyword; /* the later one of a name counts */
        values[n++] = o->val;
    }
    keys[n] = values[n] = NULL;
    *ret = opts;
    return NX_OK;
}

static nx_status connect_failed(nx_pg *c, nx_err *err)
{
    nx_str text = nx_str_trim(nx_str_of(PQerrorMessage(c->conn)));
    nx_str line;
    nx_str_split(&text, '\n', &line);
    nx_fail(err, NX_REMOTE, "could not connect to PostgreSQL: " NX_STR_FMT, NX_STR_ARG(line));
    if (err != NULL) {
        err->retriable = true;
        nx_log_scrub(err->text, sizeof err->text);
    }
    return nx_err_hint(err, NX_REMOTE,
                       "check that the server runs and that postgres.dsn names its host, port, database and user");
}

nx_status nx_pg_connect(const char *dsn, nx_pg **ret, nx_err *err)
{
    enum { OPTIONS_MAX = 96 };
    const char *keys[OPTIONS_MAX], *values[OPTIONS_MAX];
    PQconninfoOption *opts = NULL;
    *ret = NULL;
    NX_TRY(split_dsn(dsn, keys, values, OPTIONS_MAX, &opts, err));
    nx_pg *c = calloc(1, sizeof *c);
    if (c != NULL)
        c->conn = PQconnectdbParams(keys, values, 0);
    PQconninfoFree(opts);
    nx_status st = NX_OK;
    if (c == NULL || c->conn == NULL)
        st = nx_nomem(err);
    else if (PQstatus(c->conn) != CONNECTION_OK)
        st = connect_failed(c, err);
    else if (PQserverVersion(c->conn) < SERVER_VERSION_MIN)
        st = nx_fail(err, NX_UNSUPPORTED, "the server is PostgreSQL %d, 15 or later is needed",
                     PQserverVersion(c->conn) / 10000);
    if (st == NX_OK) {
        PQsetNoticeReceiver(c->conn, no_notices, NULL);
        st = nx_pg_exec(c, "SET timezone = 'UTC'; SET datestyle = 'ISO'; SET standard_conforming_strings = on", NULL,
                        err);
    }
    if (st != NX_OK) {
        nx_pg_close(c);
        return st;
    }
    *ret = c;
    return NX_OK;
}

void nx_pg_close(nx_pg *c)
{
    if (c == NULL)
        return;
    PQfinish(c->conn);
    free(c);
}

int nx_pg_server_version(const nx_pg *c)
{
    return PQserverVersion(c->conn);
}

/* ------------------------------------------------------------------ statements */

nx_status nx_pg_exec(nx_pg *c, const char *sql, int64_t *ret_changed, nx_err *err)
{
    PGresult *r = PQexec(c->conn, sql);
    ExecStatusType st = PQresultStatus(r);
    if (st != PGRES_COMMAND_OK && st != PGRES_TUPLES_OK && st != PGRES_EMPTY_QUERY)
        return nx__pg_error(c, r, err);
    if (ret_changed != NULL && !nx_str_to_i64(nx_str_of(PQcmdTuples(r)), ret_changed))
        *ret_changed = 0;
    PQclear(r);
    return NX_OK;
}

nx_status nx_pg_execf(nx_pg *c, int64_t *ret_changed, nx_err *err, const char *fmt, ...)
{
    NX_BUF_AUTO nx_buf sql;
    nx_buf_init(&sql, 0);
    va_list ap;
    va_start(ap, fmt);
    nx_status st = nx_buf_vaddf(&sql, fmt, ap);
    va_end(ap);
    return st == NX_OK ? nx_pg_exec(c, sql.p, ret_changed, err) : nx_nomem(err);
}

/* A result is libpq's own; only the name differs. */
static PGresult *raw(const nx_pg_result *r)
{
    return (PGresult *)r;
}

nx_status nx_pg_query(nx_pg *c, const char *sql, const char *const *params, size_t n_params, nx_pg_result **ret,
                      nx_err *err)
{
    *ret = NULL;
    if (n_params > 65535)
        return nx_fail(err, NX_INVALID, "PostgreSQL takes 65,535 parameters, not %zu", n_params);
    PGresult *r = PQexecParams(c->conn, sql, (int)n_params, NULL, params, NULL, NULL, 0);
    ExecStatusType st = PQresultStatus(r);
    if (st != PGRES_COMMAND_OK && st != PGRES_TUPLES_OK)
        return nx__pg_error(c, r, err);
    *ret = (nx_pg_result *)r;
    return NX_OK;
}

size_t nx_pg_rows(const nx_pg_result *r)
{
    return (size_t)PQntuples(raw(r));
}

size_t nx_pg_cols(const nx_pg_result *r)
{
    return (size_t)PQnfields(raw(r));
}

const char *nx_pg_value(const nx_pg_result *r, size_t row, size_t col)
{
    return PQgetisnull(raw(r), (int)row, (int)col) != 0 ? NULL : PQgetvalue(raw(r), (int)row, (int)col);
}

void nx_pg_result_drop(nx_pg_result *r)
{
    PQclear(raw(r));
}
