# shellcheck shell=bash
# A PostgreSQL server of the script's own, to be sourced: pg_start sets PG_DSN, PG_DIR and PG_BIN and makes the server end with the
# script; pg_psql runs psql on it. Data and socket lie in a temporary folder, there is no network port. Exits 77 where no server is
# installed. As root it runs as the user postgres.

pg_as_owner() {
    if [[ $(id -u) -eq 0 ]]; then setpriv --reuid=postgres --regid=postgres --init-groups "$@"; else "$@"; fi
}

pg_stop() {
    [[ -n ${PG_DIR:-} ]] || return 0
    pg_as_owner "$PG_BIN/pg_ctl" -D "$PG_DIR/data" -m immediate -w stop >/dev/null 2>&1
    rm -rf "$PG_DIR"
    PG_DIR=
}

pg_start() {
    local initdb
    initdb=$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -V | tail -n 1)
    if [[ -z $initdb ]]; then
        echo "no PostgreSQL server is installed (postgresql-15)"
        exit 77
    fi
    PG_BIN=${initdb%/initdb}
    PG_DIR=$(mktemp -d /tmp/nexus-pg-XXXXXX)
    [[ $(id -u) -eq 0 ]] && chown postgres: "$PG_DIR"
    [[ -n $(trap -p EXIT) ]] || trap pg_stop EXIT # a script's own clean-up calls pg_stop
    (cd "$PG_DIR" && pg_as_owner "$initdb" -D "$PG_DIR/data" -A trust -U nexus -E UTF8 --locale=C --no-sync >initdb.log 2>&1) ||
        { cat "$PG_DIR/initdb.log"; exit 1; }
    (cd "$PG_DIR" && pg_as_owner "$PG_BIN/pg_ctl" -D "$PG_DIR/data" -l "$PG_DIR/server.log" -w \
        -o "-k $PG_DIR -c listen_addresses= -c fsync=off -c shared_buffers=16MB" start >/dev/null) ||
        { cat "$PG_DIR/server.log"; exit 1; }
    # shellcheck disable=SC2034 # for the script that sources this
    PG_DSN="host=$PG_DIR dbname=postgres user=nexus"
}

pg_psql() { # -c statement
    "$PG_BIN/psql" -X -q -At -v ON_ERROR_STOP=1 -d "$PG_DSN" "$@"
}
