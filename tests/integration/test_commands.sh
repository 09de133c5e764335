#!/usr/bin/env bash
# The commands of a person's first hour: help in both forms, completions that know what the program knows.
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip "no python3 to read the JSON"

# every command is in the overview, explains itself, and both forms of help agree
"$NEXUS" help --json >help.json || fail "help --json"
mapfile -t commands < <(python3 -c 'import json; [print(c["name"]) for c in json.load(open("help.json"))["commands"]]')
[[ ${#commands[@]} -gt 10 ]] || fail "help --json tells of ${#commands[@]} commands"
"$NEXUS" help >overview.txt || fail help
for c in "${commands[@]}"; do
    grep -q "^  $c  *[a-zA-Z]" overview.txt || fail "'$c' is not in the overview"
    "$NEXUS" "$c" --help >one.txt || fail "$c --help"
    grep -q "^Usage: nexus $c" one.txt || fail "no usage of $c"
    "$NEXUS" help "$c" | cmp -s - one.txt || fail "'help $c' and '$c --help' differ"
    "$NEXUS" "$c" --help --json | python3 -c '
import json, sys
one, name = json.load(sys.stdin), sys.argv[1]
assert one == [c for c in json.load(open("help.json"))["commands"] if c["name"] == name][0]
text = open("one.txt").read()
for o in one["options"]:
    assert o["name"] in text and o["help"] in text, o["name"]' "$c" || fail "$c --help --json"
done
echo "ok: help of ${#commands[@]} commands"
"$NEXUS" help config --json | python3 -c '
import json, subprocess, sys
keys = json.load(sys.stdin)["keys"]
text = subprocess.run([sys.argv[1], "help", "config"], capture_output=True, text=True, check=True).stdout
assert len(keys) > 30 and all(k["name"] in text and k["help"] in text for k in keys)' "$NEXUS" || fail "help config --json"
"$NEXUS" >no-command.txt 2>&1
equal "no command" $? 2
"$NEXUS" help nonsense 2>/dev/null
equal "help on nothing" $? 2

# bash: what Tab gives after a line, the word under the cursor last
bash -n <("$NEXUS" completions bash) || fail "bash does not read its completions"
complete_line() {
    bash -c 'source <("$1" completions bash)
        shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _nexus
        printf "%s " "${COMPREPLY[@]}"' _ "$NEXUS" "$@"
}
for c in "${commands[@]}"; do
    [[ " $(complete_line nexus "") " == *" $c "* ]] || fail "bash does not offer $c"
done
equal "a word begun" "$(complete_line nexus ba)" "backfill "
equal "words of a command" "$(complete_line nexus backfill "")" "alpaca reddit "
equal "words of a word" "$(complete_line nexus --project /tmp backfill alpaca t)" "trades "
equal "options of a command" "$(complete_line nexus sql --c)" "--csv --config "
equal "values of an option" "$(complete_line nexus replay day.ndjson --speed "")" "max "
equal "values behind =" "$(complete_line nexus --log-format = j)" "json "
equal "values of a global option" "$(complete_line nexus --log-format "")" "text json "
equal "nothing to offer: files" "$(complete_line nexus replay "" | tr -d ' ')" ""
[[ $(complete_line nexus help "") == *" config "* ]] || fail "help config is not offered"

# the other shells, where they are installed
if command -v zsh >/dev/null; then
    "$NEXUS" completions zsh >_nexus
    got=$(zsh -f -c 'compdef() { :; }; compadd() { shift; print -r -- "$@"; }; source ./_nexus
        words=(nexus backfill alpaca "") CURRENT=4; _nexus') || fail "zsh does not read its completions"
    equal "zsh" "$got" "bars trades assets corporate-actions calendar"
else
    echo "skipped: zsh's completions, it is not installed"
fi
if command -v fish >/dev/null; then
    "$NEXUS" completions fish >nexus.fish
    got=$(HOME=$DIR fish -c 'source nexus.fish; complete -C "nexus backfill alpaca "' | sort | tr '\n' ' ') || fail "fish does not read its completions"
    equal "fish" "$got" "assets bars calendar corporate-actions trades "
else
    echo "skipped: fish's completions, it is not installed"
fi
"$NEXUS" completions tcsh 2>/dev/null
equal "a shell without completions" $? 2
