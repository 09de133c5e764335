# What the scripts of tests/integration and tests/fault share. Source it first: it makes a scratch project folder, goes there, and
# removes it and every process of the test at the end.
set -uo pipefail
TESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$TESTS/../.." && pwd)
NEXUS=${NEXUS_BIN:-$ROOT/build/nexus}
SHARED=${NEXUS_SHARED:-$ROOT/../shared}
DIR=$(mktemp -d /tmp/nexus-test-XXXXXX)
PIDS=()
export NO_COLOR=1
unset NEXUS_POSTGRES__DSN APCA_API_KEY_ID APCA_API_SECRET_KEY REDDIT_CLIENT_ID REDDIT_CLIENT_SECRET

finish() {
    local rc=$? p
    for p in "${PIDS[@]}"; do
        kill -9 "$p" 2>/dev/null
        wait "$p" 2>/dev/null
    done
    if declare -F pg_stop >/dev/null; then pg_stop; fi
    cd /
    rm -rf "$DIR"
    exit "$rc"
}
trap finish EXIT
cd "$DIR" || exit 1

skip() { # why
    echo "skipped: $*"
    exit 77
}
fail() { # what
    echo "FAILED: $*" >&2
    exit 1
}
need_shared() { # file below shared/
    [[ -e $SHARED/$1 ]] || skip "no shared data at $SHARED/$1"
}
# equal WHAT GOT WANTED
equal() {
    [[ $2 == "$3" ]] || fail "$1: got '$2', expected '$3'"
    echo "ok: $1 = $2"
}
# has WHAT TEXT PATTERN
has() {
    [[ $2 == *"$3"* ]] || fail "$1: no '$3' in: $2"
    echo "ok: $1"
}
# one value of a query
ask() {
    "$NEXUS" sql --csv "$1" | tail -n +2
}
# Starts a service in the background and waits for "port N" in its log: sets PORT and PID. Usage: serve NAME command...
serve() {
    local name=$1 i
    shift
    "$@" >"$name.log" 2>&1 &
    PID=$!
    PIDS+=("$PID")
    for ((i = 0; i < 600; i++)); do
        PORT=$(sed -n 's/.* on port \([0-9]*\).*/\1/p' "$name.log" | head -n 1)
        [[ -n $PORT ]] && return 0
        kill -0 "$PID" 2>/dev/null || { cat "$name.log" >&2; fail "$name ended at once"; }
        sleep 0.1
    done
    fail "$name does not answer"
}
# Ends a service properly.
stop() {
    kill -INT "$1"
    wait "$1" || { tail -n 5 ./*.log >&2; fail "a service did not end properly"; }
}
field() { # JSON on stdin, name of a whole-number field at the top
    sed -n "s/.*\"$1\":\(-\{0,1\}[0-9]*\).*/\1/p" | head -n 1
}
