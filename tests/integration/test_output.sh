#!/usr/bin/env bash
# What a program that reads us relies on: with --json one JSON object and nothing else on stdout, files whole or not at all.
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip "no python3 to read the JSON"

# one_object CODE command...: exit code, and stdout as one JSON object
one_object() {
    local code=$1 rc
    shift
    "$NEXUS" "$@" >out.txt 2>err.txt
    rc=$?
    [[ $rc -eq $code ]] || { cat err.txt; fail "'$*' exited $rc, expected $code"; }
    python3 -c 'import json, sys; sys.exit(not isinstance(json.load(open("out.txt")), dict))' || { head -c 300 out.txt; fail "'$*' printed no single object"; }
    echo "ok: $*"
}

# checks on a lake without tables fail, each told in the one report
one_object 1 check --json
"$NEXUS" dbt build >build.log || { tail -n 20 build.log; fail "dbt build of an empty lake"; }
one_object 0 version --json
one_object 0 contract lint --json
one_object 0 contract ls --json
one_object 0 contract show bronze.trades --json
one_object 2 contract show bronze.trads --json
one_object 0 lake ls --json
one_object 0 lake show bronze.trades --json
one_object 0 lake history gold.dim_date --json
one_object 0 lake optimize gold.dim_date --json
one_object 0 lake vacuum gold.dim_date --dry-run --json
one_object 0 lake checkpoint gold.dim_date --json
one_object 2 lake polish gold.dim_date --json
one_object 0 quarantine ls --json
one_object 2 quarantine show 00 --json
one_object 0 dbt ls --json
one_object 0 dbt ls --select gold --output json --json
one_object 0 dbt compile --json
one_object 0 enrich --json
one_object 0 sql --json 'select 1 as a'
one_object 0 sql --json --parquet -o one.parquet 'select 1 as a'
one_object 2 sql --json 'selec 1'
one_object 2 sqll --json
one_object 2 sql x --bogus --json

# a refused frame, as one object
serve stream "$NEXUS" stream --listen 127.0.0.1:0
printf '{"T":"nonsense"}\n\xff\xfe\n' >bad.ndjson
one_object 0 replay bad.ndjson --speed max --to "ws://127.0.0.1:$PORT/ws/market-data" --json
stop "$PID"
for id in $(ask 'select record_id from quarantine.records'); do
    one_object 0 quarantine show "$id" --json
done

# -o: a query that fails leaves the old file, links are followed, devices stay devices
echo old >kept.csv
"$NEXUS" sql --csv -o kept.csv "select error('x')" 2>/dev/null && fail "a failing query exits 0"
equal "the old file" "$(cat kept.csv)" old
ln -s kept.csv link.csv
"$NEXUS" sql --csv -o link.csv 'select 7 as n' || fail "-o through a link"
equal "behind the link" "$(tail -n 1 kept.csv)" 7
[[ -L link.csv ]] || fail "the link was replaced"
"$NEXUS" sql --csv -o /dev/null 'select 7 as n' || fail "-o /dev/null"
"$NEXUS" sql --parquet -o /dev/null 'select 7 as n' 2>/dev/null && fail "Parquet into a device"
[[ -c /dev/null ]] || fail "/dev/null was replaced"
equal "nothing half is left" "$(find . -maxdepth 1 -name '*.part')" ""

# a table whose log is broken says so whatever is asked of it; the others answer
echo 'no JSON' >lake/gold/dim_date/_delta_log/00000000000000000009.json
rm -f lake/gold/dim_date/_delta_log/*checkpoint* lake/gold/dim_date/_delta_log/0000000000000000000[1-8].json
echo 'no JSON' >lake/gold/dim_date/_delta_log/00000000000000000001.json
"$NEXUS" sql --csv 'select count(*) from gold.dim_date' >out.txt 2>err.txt && { cat out.txt; fail "a broken table was counted"; }
has "the cause" "$(cat err.txt)" "line 1 is not JSON"
equal "its neighbour" "$(ask 'select count(*) from gold.dim_symbol')" 1
