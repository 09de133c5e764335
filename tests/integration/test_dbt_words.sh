#!/usr/bin/env bash
# What a dbt user gets wrong or is used to: exit codes as dbt Core's, messages that name the place, refusals by name.
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"
cp "$ROOT/nexus.yml" .

project() { # two models and a test, anew
    rm -rf dbt && mkdir -p dbt/models
    printf 'name: shop\nversion: "1.0"\nprofile: shop\nmodels: {shop: {+materialized: table}}\n' >dbt/dbt_project.yml
    printf 'shop:\n  target: nexus\n  outputs:\n    nexus: {type: nexus, schema: main, threads: 1}\n    other: {type: snowflake, schema: main}\n' >dbt/profiles.yml
    echo "select 1 as id" >dbt/models/a.sql
    echo "select * from {{ ref('a') }}" >dbt/models/b.sql
    printf 'version: 2\nmodels:\n  - name: a\n    columns:\n      - {name: id, data_tests: [unique]}\n' >dbt/models/s.yml
}
# says LABEL EXIT-CODE TEXT words of nexus dbt...
says() {
    local label=$1 code=$2 text=$3 got
    shift 3
    "$NEXUS" dbt "$@" >out.log 2>&1
    got=$?
    [[ $got == "$code" ]] || { cat out.log; fail "$label: exit code $got, expected $code"; }
    has "$label" "$(cat out.log)" "$text"
}
project
says "all is well" 0 "Done. PASS=3 WARN=0 ERROR=0 SKIP=0" build
says "the short name of --full-refresh" 0 "Done. PASS=2" run -f
says "nothing is selected" 0 "'nosuch' does not match any enabled nodes" build --select nosuch
says "a command's typo" 2 "did you mean 'build'" buidl
says "an unknown option" 2 "unknown option --nope" build --nope
says "docs" 2 "dbt docs is not supported by this runner" docs generate
says "a method that it lacks" 2 "the selection method 'state' is not supported" ls --select state:modified
says "a target that is not there" 2 "no target named 'prod'" build --target prod
says "another adapter" 2 "has type 'snowflake'" build --target other
echo "select * from {{ ref('aa') }}" >dbt/models/b.sql
says "a typo in ref" 2 "models/b.sql:1: model 'b' depends on a node named 'aa'" build
echo "select {% if x %} 1" >dbt/models/b.sql
says "bad Jinja" 2 "models/b.sql:1: 'if' is not closed" build
echo "select {{ nope('x') }} as id" >dbt/models/b.sql
says "a macro that is not there" 1 "'nope' is undefined" build
project
echo "select * from {{ ref('b') }}" >dbt/models/a.sql
says "a cycle" 2 "Found a cycle: model.shop.b --> model.shop.a --> model.shop.b" build
project
echo "select 1 as id union all select 1" >dbt/models/a.sql
says "a failing test" 1 "Done. PASS=1 WARN=0 ERROR=1 SKIP=1" build
grep -q '"status": *"fail"' dbt/target/run_results.json || fail "run_results.json does not tell of the failed test"
project
printf 'packages:\n  - package: dbt-labs/dbt_utils\n    version: 1.1.1\n' >dbt/packages.yml
says "packages" 2 "packages.yml:2: packages are not supported" build
project
sed -i 's/profile: shop/profile: nope/' dbt/dbt_project.yml
says "a profile that is not there" 2 "no profile named 'nope'" build
