/* What the doctor sees beyond this process: Postgres and the vendors. What is not configured is left out, and it says so. */
#include <stdio.h>
#include <stdlib.h>

#include "app/doctor.h"
#include "ingest/pull.h"
#include "io/wsc.h"
#include "pg/pg.h"

enum { SERVER_MIN = 150000, STREAM_TIMEOUT_MS = 10000 };

/* May the schema be made, or written to where it is there? */
static const char may_write_sql[] =
    "select case when exists (select from pg_namespace where nspname = $1) then has_schema_privilege($1, 'CREATE') "
    "else has_database_privilege(current_database(), 'CREATE') end, current_database(), current_user";

static nx_status ask_postgres(nx_doctor *d, const char *dsn, nx_err *err)
{
    const char *schema = nx_config_str(d->p.cfg, "postgres.schema");
    nx_pg *c = NULL;
    nx_pg_result *r = NULL;
    NX_TRY(nx_pg_connect(dsn, &c, err));
    int version = nx_pg_server_version(c);
    nx_status st = nx_pg_query(c, may_write_sql, &schema, 1, &r, err);
    if (st == NX_OK && version < SERVER_MIN)
        st = nx_fail(err, NX_UNSUPPORTED, "the server is PostgreSQL %d; 15 or later is needed", version / 10000);
    else if (st == NX_OK && strcmp(nx_pg_value(r, 0, 0), "t") != 0)
        st = nx_err_hint(err,
                         nx_fail(err, NX_INVALID, "user %s may not write schema %s of database %s",
                                 nx_pg_value(r, 0, 2), schema, nx_pg_value(r, 0, 1)),
                         "grant create on the database or the schema to that user");
    else if (st == NX_OK)
        nx__doctor_sayf(d, NX_FOUND_OK, "Postgres", "version %d, database %s, schema %s can be written",
                        version / 10000, nx_pg_value(r, 0, 1), schema);
    nx_pg_result_drop(r);
    nx_pg_close(c);
    return st;
}

void nx__doctor_postgres(nx_doctor *d)
{
    nx_err err = {0};
    char *dsn = NULL;
    nx_status st = nx_config_secret(d->p.cfg, "postgres.dsn", &dsn, &err);
    if (st == NX_OK && dsn == NULL)
        nx__doctor_say(d, NX_FOUND_SKIP, "Postgres", "postgres.dsn is not set: nothing is published", NULL);
    else if (st == NX_OK)
        st = ask_postgres(d, dsn, &err);
    if (st != NX_OK)
        nx__doctor_say_err(d, NX_FOUND_FAIL, "Postgres", &err);
    free(dsn);
}

/* Both secrets, or a line that says why not: a variable that is not set is a vendor that is not used. */
static bool credentials(nx_doctor *d, const char *what, const char *const keys[2], char *ret[2])
{
    nx_err err = {0};
    nx_status st = NX_OK;
    for (int i = 0; i < 2 && st == NX_OK; i++) {
        st = nx_config_secret(d->p.cfg, keys[i], &ret[i], &err);
        if (st == NX_OK && ret[i] == NULL)
            st = nx_fail(&err, NX_NOT_FOUND, "%s is not set", keys[i]);
    }
    if (st != NX_OK)
        nx__doctor_say_err(d, st == NX_NOT_FOUND ? NX_FOUND_SKIP : NX_FOUND_FAIL, what, &err);
    return st == NX_OK;
}

static void failed(nx_doctor *d, const char *what, const char *keys, nx_err *err)
{
    if (err->retriable)
        nx_err_hint(err, err->status, "check the network, a proxy, and %s", keys);
    nx__doctor_say_err(d, NX_FOUND_FAIL, what, err);
}

static void stream(nx_doctor *d)
{
    const char *const *channels = nx_config_list(d->p.cfg, "alpaca.channels");
    char url[1024];
    nx_err err = {0};
    nx_wsc *c = NULL;
    if (channels[0] == NULL) {
        nx__doctor_say(d, NX_FOUND_SKIP, "Alpaca stream", "alpaca.channels is empty: nexus stream only listens", NULL);
        return;
    }
    snprintf(url, sizeof url, "%s/v2/%s", nx_config_str(d->p.cfg, "alpaca.stream_url"),
             nx_config_str(d->p.cfg, "alpaca.feed"));
    if (nx_wsc_connect(&(nx_wsc_opts){.url = url, .connect_timeout_ms = STREAM_TIMEOUT_MS}, NULL, &c, &err) != NX_OK)
        failed(d, "Alpaca stream", "alpaca.stream_url", &err);
    else
        nx__doctor_sayf(d, NX_FOUND_OK, "Alpaca stream", "%s answers", url);
    nx_wsc_drop(c);
}

static void alpaca(nx_doctor *d)
{
    static const char *const keys[2] = {"alpaca.key", "alpaca.secret"};
    char *secret[2] = {NULL, NULL};
    nx_err err = {0};
    if (credentials(d, "Alpaca", keys, secret)) {
        nx_alpaca_opts o = {.data_url = nx_config_str(d->p.cfg, "alpaca.data_url"),
                            .trading_url = nx_config_str(d->p.cfg, "alpaca.trading_url"),
                            .key = secret[0],
                            .secret = secret[1]};
        if (nx_alpaca_ping(&o, &err) != NX_OK)
            failed(d, "Alpaca", "alpaca.data_url and alpaca.trading_url", &err);
        else
            nx__doctor_sayf(d, NX_FOUND_OK, "Alpaca", "%s and %s take the credentials", o.data_url, o.trading_url);
        stream(d);
    }
    free(secret[0]);
    free(secret[1]);
}

static void reddit(nx_doctor *d)
{
    static const char *const keys[2] = {"reddit.client_id", "reddit.client_secret"};
    char *secret[2] = {NULL, NULL};
    nx_err err = {0};
    if (credentials(d, "Reddit", keys, secret)) {
        nx_reddit_opts o = {.token_url = nx_config_str(d->p.cfg, "reddit.token_url"),
                            .api_url = nx_config_str(d->p.cfg, "reddit.api_url"),
                            .client_id = secret[0],
                            .client_secret = secret[1],
                            .user_agent = nx_config_str(d->p.cfg, "reddit.user_agent")};
        if (nx_reddit_ping(&o, &err) != NX_OK)
            failed(d, "Reddit", "reddit.token_url", &err);
        else
            nx__doctor_sayf(d, NX_FOUND_OK, "Reddit", "%s takes the credentials", o.token_url);
    }
    free(secret[0]);
    free(secret[1]);
}

void nx__doctor_vendors(nx_doctor *d)
{
    alpaca(d);
    reddit(d);
}
