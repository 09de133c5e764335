#!/usr/bin/env bash
# What goes wrong says what, where and the way out, and harms nothing else.
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"

# refuse CODE PATTERN command...: exit code and words on stderr
refuse() {
    local code=$1 words=$2 rc
    shift 2
    "$@" >out.txt 2>err.txt
    rc=$?
    [[ $rc -eq $code ]] || { cat err.txt; fail "'${*:2}' exited $rc, expected $code"; }
    grep -qiE -- "$words" err.txt || { cat err.txt; fail "'${*:2}' does not say '$words'"; }
    echo "ok: ${*:2}: $(head -n 1 err.txt)"
}

# usage and configuration
refuse 2 "did you mean: nexus sql" "$NEXUS" sqll x
refuse 2 "did you mean --csv" "$NEXUS" sql x --cvs
printf 'lake:\n  flush: {max_row: 5}\n' >nexus.yml
refuse 2 "nexus.yml line 2.*max_row" "$NEXUS" lake ls
printf 'lake: {root: [\n' >nexus.yml
refuse 2 "nexus.yml" "$NEXUS" lake ls
rm nexus.yml
refuse 2 "no-such.yml" "$NEXUS" --config no-such.yml lake ls
refuse 2 "nexus lake ls" "$NEXUS" sql 'select * from bronze.nothing'
refuse 2 "syntax" "$NEXUS" sql 'selec 1'
: >a-file
refuse 2 "a-file is a file" "$NEXUS" --project a-file lake ls
refuse 2 "1024 to 3145728" "$NEXUS" stream --set stream.frame_bytes_max=4000000
refuse 2 "one statement" "$NEXUS" sql 'select 1; select 2'
refuse 2 "open or replayed" "$NEXUS" quarantine ls --state closed
refuse 2 "name one record" "$NEXUS" quarantine show
refuse 2 "name one table" "$NEXUS" contract show
refuse 2 "say what to load" "$NEXUS" backfill alpaca

# contracts: the file, the line, the key
mkdir -p contracts && cp -r "$ROOT"/contracts/. contracts/
sed -i 's/logicalType: number/logicalType: nummer/' contracts/market/trades.odcs.yaml
refuse 2 "trades.odcs.yaml.*(nummer|logicalType)" "$NEXUS" contract lint
rm -r contracts

# the edge: bad frames are refused with every reason, their neighbours kept
serve stream "$NEXUS" stream --listen 127.0.0.1:0
STREAM=$PID STREAM_PORT=$PORT
to=ws://127.0.0.1:$PORT/ws/market-data
good='{"T":"t","S":"AAPL","i":1,"x":"Q","p":1.25,"s":100,"c":["@"],"z":"C","t":"2024-01-02T15:00:00.123456789Z"}'
{
    echo "[$good]"
    echo '[{"T":"t","S":"AAPL","i":2,"x":"Q","p":"x","s":-1,"c":["@"],"z":"C","t":"2024-01-02T25:00:00Z"},'"${good/\"i\":1/\"i\":3}]"
    echo '[{"T":"t","S":"AAPL"'
    echo '{"T":"nonsense"}'
    echo '[{"T":"t","S":"AAPL","i":4,"x":"Q","p":1.0000001,"s":1,"c":["@"],"z":"C","t":"2024-01-02T15:00:00Z"}]'
    echo '[{"T":"t","S":"AAPL","i":99999999999999999999,"x":"Q","p":1,"s":1,"c":["@"],"z":"C","t":"2024-01-02T15:00:00Z"}]'
    echo '[{"T":"t","S":"AAPL","i":5,"new":{"a":[1,2]},"x":"Q","p":1.25,"s":100,"c":["@"],"z":"C","t":"2024-01-02T15:00:00Z"}]'
} >bad.ndjson
out=$("$NEXUS" replay bad.ndjson --speed max --to "$to" --json 2>/dev/null) || fail "replay of bad input"
equal "accepted" "$(field rows_accepted <<<"$out")" 3
equal "rejected" "$(field rows_rejected <<<"$out")" 5
equal "trades" "$(ask 'select string_agg(trade_id, chr(32) order by trade_id) from bronze.trades')" "1 3 5"
equal "nanoseconds kept" "$(ask 'select ts_ns % 1000000000 from bronze.trades where trade_id = 1')" 123456789
equal "unknown fields kept" "$(ask 'select _extra from bronze.trades where trade_id = 5')" '"{""new"":{""a"":[1,2]}}"'
equal "quarantined" "$(ask 'select count(*) from quarantine.records')" 5
equal "reasons of the first" "$(ask "select list_sort(list_transform(errors, lambda e: e.field))::varchar from quarantine.records
    where decode(raw) like '%\"i\":2,%'")" '"[price, size, ts]"'
equal "bytes kept" "$(ask "select decode(raw) from quarantine.records where decode(raw) like '%nonsense%'")" '"{""T"":""nonsense""}"'

# a second listener: the port, and the state folder
refuse 2 "no project folder other" "$NEXUS" --project other stream --listen "127.0.0.1:$PORT"
mkdir other
refuse 3 "in use" "$NEXUS" --project other stream --listen "127.0.0.1:$PORT"
refuse 3 "process" "$NEXUS" stream --listen 127.0.0.1:0
refuse 2 "loopback|token" "$NEXUS" --project other stream --listen 0.0.0.0:0
# peers that are turned away again and again do not fill the log
serve narrow "$NEXUS" --project other stream --listen 127.0.0.1:0 --set stream.connections_max=1
fds=()
for ((i = 0; i < 60; i++)); do
    exec {fd}<>"/dev/tcp/127.0.0.1/$PORT"
    fds+=("$fd")
    printf 'GET /ws/market-data HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n' >&"$fd"
    read -r -u "$fd" answer
done
has "one connection too many" "$answer" "503"
for fd in "${fds[@]}"; do exec {fd}>&-; done
stop "$PID"
[[ $(grep -c "refused with 503" narrow.log) -lt 59 ]] || fail "a line of log for each connection that was refused"
has "what was taken is told at the end" "$(tail -n 1 narrow.log)" "0 rows taken"
PID=$STREAM PORT=$STREAM_PORT

# oversized and unreadable input
head -c 2000000 /dev/zero | tr '\0' 'x' >big.ndjson
refuse 2 "big.ndjson|too long" "$NEXUS" replay big.ndjson --speed max --to "$to"
refuse 2 "no-such.ndjson" "$NEXUS" replay no-such.ndjson --to "$to"
equal "still listening" "$("$NEXUS" replay bad.ndjson --speed max --to "$to" --json 2>/dev/null | field frames)" 0
stop "$PID"
refuse 75 "connect" "$NEXUS" replay bad.ndjson --to "$to"

# outside: nobody there
refuse 75 "connect" "$NEXUS" backfill alpaca assets --set alpaca.key=k --set alpaca.secret=s --set alpaca.trading_url=http://127.0.0.1:9 \
    --set alpaca.data_url=http://127.0.0.1:9
refuse 2 "APCA_API_KEY_ID" "$NEXUS" backfill alpaca bars
refuse 2 "not '2024-02-30'" "$NEXUS" backfill alpaca bars --start 2024-02-30
refuse 2 "1678 to 2261" "$NEXUS" backfill alpaca bars --start 1600-01-01
refuse 2 "before --end" "$NEXUS" backfill alpaca bars --start 2024-02-02 --end 2024-02-01
refuse 2 "nexus dbt build" "$NEXUS" publish
# a folder without checks passes nothing
mkdir quality
refuse 2 "no check in quality" "$NEXUS" check
[[ -e .nexus/gate.json ]] && fail "the gate was written without a check"
rmdir quality
"$NEXUS" dbt build >build.log || { tail -n 20 build.log; fail "dbt build of an almost empty lake"; }
"$NEXUS" check >check.log
equal "exit code of the checks of a lake without bars" $? 1
has "the failed check is named" "$(cat check.log)" "There are bars [FAILED]"
refuse 1 "checks failed" "$NEXUS" publish --set postgres.dsn=host=/nowhere
refuse 75 "connect" "$NEXUS" publish --unchecked --set postgres.dsn='host=/nowhere user=x password=planted-secret'
grep -q planted-secret err.txt && fail "a password was printed"
refuse 2 "postgres.dsn" "$NEXUS" publish --unchecked
