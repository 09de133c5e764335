#!/usr/bin/env bash
# nexus contract lint, diff, export, test: exit codes, what stands where, what others make of the exports.
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip "no python3 to read the JSON"
# shellcheck source=tests/integration/pg.sh
source "$TESTS/pg.sh"

# run CODE command...: the exit code; stdout in out.txt, stderr in err.txt
run() {
    local code=$1 rc
    shift
    "$NEXUS" contract "$@" >out.txt 2>err.txt
    rc=$?
    [[ $rc -eq $code ]] || { cat out.txt err.txt; fail "'contract $*' exited $rc, expected $code"; }
    echo "ok: contract $*: $rc"
}
says() { # FILE PATTERN
    grep -qE -- "$2" "$1" || { cat "$1"; fail "$1 does not say '$2'"; }
}
# value of a Python expression over the one JSON object on stdout
value() {
    python3 -c 'import json, sys; d = json.load(open("out.txt")); print(eval(sys.argv[1]))' "$1"
}
trades=$ROOT/contracts/market/trades.odcs.yaml

# lint: every problem, its line and key
run 0 lint
run 0 lint "$trades" "$ROOT/contracts/ops"
sed 's/logicalType: number/logicalType: nummer/; s/maxItems: 64/maxItem: 64/; s/^status:.*/stattus: active/' "$trades" >bad.odcs.yaml
run 2 lint bad.odcs.yaml
equal "problems on stdout" "$(grep -c '^bad.odcs.yaml:' out.txt)" 5
says out.txt '^bad.odcs.yaml:1:1: a contract needs the key .status.'
says out.txt '^bad.odcs.yaml:6:10: stattus: .*is not a key'
says out.txt "did you mean 'status'"
says out.txt 'properties.price.physicalType: .*nummer'
says err.txt '5 problems in 1 of 1 contract file'
run 2 lint bad.odcs.yaml none.odcs.yaml "$trades" --json
equal "files" "$(value 'd["contracts"], d["contracts_with_problems"], d["problems"]')" "(3, 2, 6)"
equal "a problem" "$(value '[(p["line"], p["key"]) for p in d["list"]][1]')" "(6, 'stattus')"
printf 'a: [\n' >broken.odcs.yaml
run 2 lint broken.odcs.yaml
says out.txt '^broken.odcs.yaml:2:'
mkdir empty
run 2 lint empty
says err.txt 'no contract .*below empty'

# diff: files and tables, modes, exit codes
sed 's/^version: .*/version: 1.1.0/; s/maxItems: 64/maxItems: 65/' "$trades" >wider.odcs.yaml
sed 's/^version: .*/version: 1.1.0/; s/maxItems: 64/maxItems: 63/' "$trades" >tighter.odcs.yaml
sed 's/^version: .*/version: 2.0.0/; s/maxItems: 64/maxItems: 63/' "$trades" >major.odcs.yaml
run 0 diff bronze.trades "$trades"
says out.txt 'No change'
run 0 diff bronze.trades wider.odcs.yaml
says out.txt 'conditions +rule loosened +maxItems 64 +maxItems 65 +fits, a risk forward'
run 1 diff bronze.trades wider.odcs.yaml --strict
run 1 diff bronze.trades tighter.odcs.yaml
says out.txt 'conditions +rule tightened +maxItems 64 +maxItems 63 +breaks backward'
says out.txt 'Refused: it breaks backward'
says err.txt 'new major version'
run 0 diff bronze.trades tighter.odcs.yaml --mode forward
run 0 diff bronze.trades major.odcs.yaml
says out.txt 'as a new major version may'
run 1 diff wider.odcs.yaml "$trades" tighter.odcs.yaml --mode backward-transitive --json
equal "comparisons" "$(value '[(c["old"], c["refused"]) for c in d["comparisons"]]')" "[('trades@1.1.0', True), ('trades@1.0.0', True)]"
equal "a change" "$(value 'next((x["change"], x["at"], x["breaks"], x["needs"]) for x in d["comparisons"][1]["changes"])')" \
    "('rule_tightened', 'conditions', ['backward'], 'major')"
run 2 diff "$trades"
run 2 diff "$trades" "$trades" "$trades"
says err.txt 'transitive'
run 2 diff "$trades" wider.odcs.yaml --mode sideways
says err.txt 'full-transitive'
run 2 diff "$trades" none.odcs.yaml
says err.txt 'none.odcs.yaml'
run 2 diff "$trades" bad.odcs.yaml
says err.txt 'bad.odcs.yaml'
run 2 diff bronze.trads "$trades"
says err.txt 'bronze.trads'

# export: the Delta schema is the one of a real table, PostgreSQL takes the DDL, dbt the sources
run 2 export bronze.trades
run 2 export bronze.trades --format xml
run 2 export --format delta
run 2 export bronze.trads --format delta
says err.txt 'did you mean bronze.trades'
run 2 export quarantine.records --format jsonschema
says err.txt 'no wire form'
"$NEXUS" quarantine ls >/dev/null 2>&1 || fail "quarantine ls, which makes the tables"
for t in market/trades social/posts ops/gaps; do
    run 0 export "bronze.${t#*/}" --format delta
    made=$(cat "lake/bronze/$t/_delta_log/00000000000000000000.json")
    equal "schema of $t" "$(MADE=$made python3 -c '
import json, os
meta = next(a["metaData"] for a in map(json.loads, os.environ["MADE"].splitlines()) if "metaData" in a)
print(json.loads(meta["schemaString"]) == json.load(open("out.txt")))')" True
done
run 0 export bronze.trades --format jsonschema --json
equal "schema as JSON" "$(value 'd["document"]["title"]')" bronze.trades
mkdir -p project && cp -r "$ROOT/dbt" project/
run 0 export --format dbt
cp out.txt project/dbt/models/sources.yml
sed -n '/^  - name: enrich/,$p' "$ROOT/dbt/models/sources.yml" >>project/dbt/models/sources.yml
"$NEXUS" --project project dbt parse >dbt.log 2>&1 || { cat dbt.log; fail "dbt parse of the exported sources"; }
has "sources" "$("$NEXUS" --project project dbt ls --resource-type source 2>/dev/null)" "bronze.gaps"
run 0 export --format markdown
cmp out.txt "$ROOT/docs/contracts.md" || fail "docs/contracts.md is old: nexus contract export --format markdown >docs/contracts.md"

# test: examples, and files of messages
run 0 test
says out.txt 'failed +0$'
run 0 test bronze.trades bronze.bars --json
equal "examples as they should be" "$(value 'd["failed"], all(e["as_expected"] for e in d["list"])')" "(0, True)"
run 2 test bronze.trads
mkdir -p wrong/contracts && sed 's/"p":126.55/"p":-126.55/; s/{price: decimal}/{price: range}/; s/\[AAPL, BRK.B\]/[AAPL, BRK B]/' "$trades" >wrong/contracts/trades.odcs.yaml
run 1 --project wrong test
equal "failures" "$(grep -c '^  FAIL' out.txt)" 3
says out.txt 'a regular sale: refused, should be accepted'
says out.txt 'price range: must be at least 0'
says out.txt 'nothing is rounded: refused for other reasons'
says out.txt 'symbol: "BRK B": does not fit'
says err.txt '3 of 10 examples'
sed 's/refused: {price: range}/refusd: {price: range}/' "$trades" >wrong/contracts/trades.odcs.yaml
run 2 --project wrong test
says err.txt "trades.odcs.yaml:[0-9]+:[0-9]+: 'refusd' is not a key"
good='{"T":"t","S":"AAPL","i":1,"x":"Q","p":1.25,"s":100,"c":["@"],"z":"C","t":"2024-01-02T15:00:00Z"}'
quote='{"T":"q","S":"AMD"}'
printf '%s\n\n[%s,%s]\n' "$good" "$quote" "$good" >good.ndjson
run 0 test bronze.trades --sample good.ndjson
says out.txt 'line 3, message 1: accepted'
says out.txt 'of other types +1$'
printf '%s\n[%s,%s\n[%s,%s]\n' "$good" "$good" "$good" "${good/1.25/-1}" "${good/\"i\":1,/}" >some.ndjson
run 1 test bronze.trades --sample some.ndjson --json
equal "verdicts" "$(value '[(m["line"], m["index"], [(e["field"], e["rule"]) for e in m["errors"]]) for m in d["list"]]')" \
    "[(1, 0, []), (2, 0, [('', 'json')]), (3, 0, [('price', 'range')]), (3, 1, [('trade_id', 'required')])]"
run 1 test bronze.trades --sample some.ndjson --quiet
equal "refused ones alone" "$(grep -c accepted out.txt)" 0
echo '{"t":"2022-01-03T09:00:00Z","o":1,"h":1,"l":1,"c":1,"v":1}' >bars.ndjson
run 1 test bronze.bars --sample bars.ndjson
run 0 test bronze.bars --sample bars.ndjson --context symbol=AAPL --context timeframe=1Hour
run 2 test bronze.bars --sample bars.ndjson --context symbol
run 2 test bronze.bars --sample bars.ndjson --context simbol=A
run 2 test bronze.bars --sample none.ndjson
run 2 test --sample bars.ndjson
run 2 test bronze.gaps --sample bars.ndjson
run 2 test bronze.bars --context symbol=A

# PostgreSQL
run 0 export --format postgres
cp out.txt all.sql
pg_start
pg_psql -f - <all.sql 2>psql.log || { cat psql.log; fail "PostgreSQL refuses the DDL"; }
pg_psql -f - <all.sql >/dev/null 2>&1 && fail "a table was made twice"
equal "tables" "$(pg_psql -c "select count(*) from pg_tables where schemaname = 'nexus'")" "$("$NEXUS" contract ls | grep -c @)"
equal "a comment" "$(pg_psql -c "select obj_description('nexus.trades'::regclass)")" \
    "$("$NEXUS" contract show bronze.trades --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["description"])')"
equal "columns that take null" "$(pg_psql -c "select string_agg(attname, ' ' order by attnum) from pg_attribute
    where attrelid = 'nexus.trades'::regclass and attnum > 0 and not attnotnull")" "tape update_status _extra"
