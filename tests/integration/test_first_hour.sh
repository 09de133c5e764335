#!/usr/bin/env bash
# nexus init makes a project that works as it is; nexus doctor finds what is wrong with one, says it in a line each, and changes nothing.
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/integration/pg.sh
source "$TESTS/pg.sh"
pg_start

# doctor CODE arguments...: its lines in OUT
doctor() {
    local code=$1
    shift
    OUT=$("$NEXUS" doctor "$@" 2>&1)
    equal "exit of doctor $*" $? "$code"
}
line() { # WHAT: its line
    grep -E "^(ok|warn|FAIL|-) +$1 " <<<"$OUT"
}

# a new project
out=$("$NEXUS" init markets) || fail "init: $out"
has "the way on" "$out" "nexus --project markets doctor"
for f in nexus.yml contracts/market/trades.odcs.yaml dbt/dbt_project.yml quality/gold.yml; do
    [[ -s markets/$f ]] || fail "init made no $f"
done
equal "nothing half is left" "$(find markets -name '.*')" ""
for folder in contracts dbt quality; do
    diff -r -x target -x logs -x '.*' "$ROOT/$folder" "markets/$folder" || fail "$folder is not what came with the program"
done
"$NEXUS" --project markets contract lint >/dev/null || fail "the contracts of a new project"
"$NEXUS" --project markets dbt build >dbt.log || { tail -n 20 dbt.log; fail "the models of a new project"; }
[[ -d markets/dbt/target ]] || fail "the project's own dbt folder was not used"
rm -rf markets/lake markets/.nexus

# what is there stays
echo 'state: mine' >markets/nexus.yml
out=$("$NEXUS" init markets 2>&1)
equal "init where a project is" $? 2
has "what is in the way" "$out" "markets/nexus.yml is there already"
equal "the old file" "$(cat markets/nexus.yml)" "state: mine"
mkdir -p other/quality
"$NEXUS" init other 2>/dev/null
equal "init where a folder is" $? 2
equal "nothing was made" "$(ls -A other)" quality

# a fresh project is well, and looking at it changes nothing
rm markets/nexus.yml
cd markets || exit 1
before=$(find . | sort | cksum)
doctor 0
has "no configuration" "$(line configuration)" "defaults"
has "no Alpaca" "$(line Alpaca)" APCA_API_KEY_ID
has "no Postgres" "$(line Postgres)" "not set"
equal "files of the project" "$(find . | sort | cksum)" "$before"

# with vendors, Postgres, a listener and rows
serve sim "$NEXUS" sim --listen 127.0.0.1:0 --seed 1
url=127.0.0.1:$PORT
cat >nexus.yml <<YML
alpaca: {key: k, secret: a-secret, data_url: "http://$url", trading_url: "http://$url", stream_url: "ws://$url"}
reddit: {client_id: c, client_secret: s, token_url: "http://$url", api_url: "http://$url"}
postgres: {dsn: "$PG_DSN"}
YML
"$NEXUS" backfill alpaca assets >/dev/null || fail "backfill"
serve stream "$NEXUS" stream --listen 127.0.0.1:0 --no-alpaca
LISTENER=$PID
doctor 0
for what in configuration contracts "models, checks" "state folder" "state lock" listener "disk space" lake Postgres Alpaca "Alpaca stream" Reddit; do
    has "$what" "$(line "$what")" "ok "
done
equal "probes are gone" "$(find . -name '.nexus-probe*')" ""
"$NEXUS" doctor --json | python3 -c '
import json, sys
d = json.load(sys.stdin)
assert d["ok"] is True and len(d["checks"]) == 12 and all(c["state"] == "ok" and c["message"] for c in d["checks"]), d' || fail "doctor --json"
stop "$LISTENER"

# what is wrong is told: with its name, the others go on
doctor 1 --set postgres.dsn="host=$PG_DIR dbname=absent user=nexus"
has "a database that is not there" "$(line Postgres)" FAIL
has "its neighbour" "$(line Alpaca)" "ok "
pg_psql -c 'create role reader login'
doctor 1 --set postgres.dsn="host=$PG_DIR dbname=postgres user=reader"
has "a user that may not write" "$(line Postgres)" "user reader may not write schema nexus"
doctor 1 --set alpaca.data_url=http://127.0.0.1:1 --set alpaca.stream_url=ws://127.0.0.1:1
has "no vendor there" "$(line Alpaca)" FAIL
has "no stream there" "$(line "Alpaca stream")" FAIL
[[ $OUT != *a-secret* ]] || fail "a secret is shown"
doctor 1 --set state=/dev/null/state
has "no state folder" "$(line "state folder")" FAIL
doctor 1 --set lake.rot=3
has "a configuration that cannot be read" "$(line configuration)" "unknown key 'lake.rot'"
has "the rest" "$(line "all else")" "needs a configuration"
exec 9>>.nexus/batch.lock
flock -n 9 || fail "the lock is held by somebody"
doctor 0
has "a command at work" "$(line "state lock")" "warn "
exec 9>&-
echo 'no JSON' >lake/bronze/reference/assets/_delta_log/00000000000000000001.json
doctor 1
has "a broken table" "$(line bronze.assets)" FAIL
