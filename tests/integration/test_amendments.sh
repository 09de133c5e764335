#!/usr/bin/env bash
# What becomes of a trade that the stream or history takes back: corrected, corrected any number of times,
# cancelled, cancelled after a correction.
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip "no python3 to play the vendor"

trade() { # id price
    printf '[{"T":"t","S":"AAPL","i":%s,"x":"Q","p":%s,"s":100,"c":["@"],"z":"C","t":"2024-01-02T15:00:00.%09dZ"}]\n' "$1" "$2" "$1"
}
correction() { # second, id, corrected id, corrected price
    printf '[{"T":"c","S":"AAPL","x":"Q","oi":%s,"op":1,"os":100,"oc":["@"],"ci":%s,"cp":%s,"cs":50,"cc":["@"],"z":"C","t":"2024-01-02T15:01:%02dZ"}]\n' \
        "$2" "$3" "$4" "$1"
}
cancel() { # second, id
    printf '[{"T":"x","S":"AAPL","i":%s,"x":"Q","p":1,"s":100,"a":"C","z":"C","t":"2024-01-02T15:01:%02dZ"}]\n' "$2" "$1"
}
{
    trade 1 1
    trade 2 2
    correction 1 2 20 2.5
    trade 3 3
    correction 2 3 30 3.25
    correction 3 30 31 3.5
    trade 4 4
    cancel 4 4
    trade 5 5
    correction 5 5 50 5.5
    cancel 6 50
    trade 6 6
    correction 7 6 60 6.5
    # five corrections, one after the other; the same, then cancelled; back to the id it came from; a late word about the first of a chain
    trade 100 1
    for i in 0 1 2 3 4; do correction $((10 + i)) $((100 + i)) $((101 + i)) "1$i.5"; done
    trade 200 1
    for i in 0 1 2 3 4; do correction $((20 + i)) $((200 + i)) $((201 + i)) "2$i.5"; done
    cancel 25 205
    trade 300 1
    correction 30 300 301 31.5
    correction 31 301 300 30.5
    trade 400 1
    correction 41 401 402 42.5
    correction 40 400 401 41.5
} >day.ndjson
serve stream "$NEXUS" stream --listen 127.0.0.1:0
"$NEXUS" replay day.ndjson --speed max --to "ws://127.0.0.1:$PORT/ws/market-data" >/dev/null || fail "replay"
build() { "$NEXUS" dbt build --select +trades_current >build.log || { tail -n 30 build.log; fail "dbt build"; }; }
current() { ask "select string_agg(trade_id || ':' || price, ' ' order by trade_id) from silver.trades_current"; }
build
equal "as the stream left them" "$(current)" "1:1.000000 20:2.500000 31:3.500000 60:6.500000 105:14.500000 300:30.500000 402:42.500000"
build
equal "no amendment twice" "$(ask 'select count(*) from silver.trade_amendments')" "$(ask 'select (select count(*) from bronze.corrections) + (select count(*) from bronze.cancels)')"

# history marks the rows themselves: the stream's replacement of 6 is a row there, 7 was cancelled, 8 replaced by 80
cat >vendor.py <<'PY'
import http.server
import json

rows = [(6, 6, "incorrect"), (60, 6.5, "corrected"), (7, 7, "canceled"), (8, 8, "incorrect"), (80, 8.5, "corrected")]
trades = [{"t": f"2024-01-02T15:00:00.{i:09d}Z", "x": "Q", "p": p, "s": 100, "c": ["@"], "i": i, "z": "C", "u": u} for i, p, u in rows]
page = json.dumps({"trades": {"AAPL": trades}, "next_page_token": None}).encode()

class Vendor(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *args):
        pass

server = http.server.HTTPServer(("127.0.0.1", 0), Vendor)
print(f"vendor on port {server.server_port}", flush=True)
server.serve_forever()
PY
stop "$PID"
serve vendor python3 -u vendor.py
"$NEXUS" backfill alpaca trades --symbols AAPL --start 2024-01-02 --end 2024-01-02 --set alpaca.key=k --set alpaca.secret=s \
    --set "alpaca.data_url=http://127.0.0.1:$PORT" >/dev/null || fail "backfill"
build
equal "as history has them" "$(current)" "1:1.000000 20:2.500000 31:3.500000 60:6.500000 80:8.500000 105:14.500000 300:30.500000 402:42.500000"
equal "one row each" "$(ask 'select count(*) from silver.trades_current')" 8
