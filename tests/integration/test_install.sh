#!/usr/bin/env bash
# make install: a program that works where it was put, without the tree it was built in.
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"

to=$DIR/usr
out=$(make -s -C "$ROOT" install PREFIX="$to" 2>&1) || fail "make install: $out"
has "what was installed" "$out" "installed nexus"
NEXUS=$to/bin/nexus
"$NEXUS" version >/dev/null || fail "the installed program does not start"
libs=$(ldd "$NEXUS") || fail "ldd"
has "the engine's library" "$libs" "$to/bin/../lib/nexus/libduckdb.so"

# contracts, models and checks are those of the installation
out=$("$NEXUS" contract show bronze.trades --json) || fail "contract show"
has "its contracts" "$out" "trades@"
"$NEXUS" init here >/dev/null || fail "init"
equal "contracts of a project that init made" "$(find here/contracts -name '*.odcs.yaml' | wc -l)" \
    "$(find "$ROOT/contracts" -name '*.odcs.yaml' | wc -l)"
"$NEXUS" --project here dbt parse >/dev/null 2>&1 || fail "dbt parse of the installed models"
bash -n "$to/share/bash-completion/completions/nexus" || fail "bash completions"

# again over the old one: what it had more is gone, the rest is the same
touch "$to/share/nexus/contracts/gone.odcs.yaml"
make -s -C "$ROOT" install PREFIX="$to" >/dev/null 2>&1 || fail "make install again"
[[ ! -e $to/share/nexus/contracts/gone.odcs.yaml ]] || fail "a file of the version before is still there"
