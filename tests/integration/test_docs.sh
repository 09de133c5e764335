#!/usr/bin/env bash
# What README.md and the other documents name is there: files, links, functions, make targets, commands and their options, keys. And the
# check sees what is not there: it would pass for ever if it could not.
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip "no python3"
python3 "$TESTS/docs.py" "$ROOT" "$NEXUS" || fail "the documents name what is not there"

mkdir -p tree/src
cp "$ROOT/Makefile" tree/
cat >tree/README.md <<'MD'
[a](absent.md) `src/absent.c` `absent.sh` `nx_absent()` `lake.absent` `nexus absent` `nexus sql --absent` `make absent`

```sh
nexus sql --csv x && nexus forgotten
```
MD
echo ' 1. **It flies.**' >tree/ARCHITECTURE.md
for i in {1..10}; do echo "nothing" >"tree/$i.md"; done
out=$(python3 "$TESTS/docs.py" tree "$NEXUS")
equal "exit for a tree with faults" $? 1
for what in 'link absent.md' 'file src/absent.c' 'called absent.sh' 'called nx_absent' 'key lake.absent' 'nexus absent' 'option --absent' \
    'make absent' 'nexus forgotten' 'promise 1'; do
    has "$what" "$out" "$what"
done
