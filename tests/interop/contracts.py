"""Contracts as others see them: datacontract-cli and the standard's JSON Schema, our JSON Schemas by a validator, our dbt sources by dbt Core."""

import glob
import json
import os
import subprocess

import jsonschema

# What JSON Schema cannot say: digits behind a decimal's point, zones and calendars of times.
BEYOND = {"decimal", "format"}

PROJECT = {
    "dbt_project.yml": "name: exported\nversion: '1.0'\nprofile: exported\n",
    "profiles.yml": "exported: {target: dev, outputs: {dev: {type: duckdb, path: ':memory:'}}}\n",
}


def output(nexus, repo, *words):
    done = subprocess.run([nexus, "--project", repo, "contract", *words], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"contract {' '.join(words)}: {done.stderr}")
    return done.stdout


def lint(report, nexus, repo, datacontract, folder):
    files = sorted(glob.glob(os.path.join(repo, "contracts", "**", "*.odcs.yaml"), recursive=True))
    if not files:
        report.bad("datacontract-cli: contracts", ["there is none"])
    for f in files:
        done = subprocess.run([datacontract, "lint", f], capture_output=True, text=True)
        report.check(f"datacontract-cli accepts {os.path.relpath(f, repo)}", [] if done.returncode == 0 else [done.stdout, done.stderr])
    # what breaks the standard is refused by both
    bad = os.path.join(folder, "bad.odcs.yaml")
    with open(files[0]) as source, open(bad, "w") as target:
        target.write(source.read().replace("status: active", "stattus: active"))
    theirs = subprocess.run([datacontract, "lint", bad], capture_output=True).returncode
    ours = subprocess.run([nexus, "--project", repo, "contract", "lint", bad], capture_output=True).returncode
    report.check("both refuse a misspelt key", [] if theirs != 0 and ours == 2 else [f"datacontract-cli {theirs}, nexus {ours}"])


def from_request(error, context):
    """Of a value that is not in the message: the request told it, or should have."""
    return error["field"] in context or (context and error["rule"] == "required")


def examples(report, nexus, repo):
    """A message that the decoder accepts is valid, one that it refuses is not, as far as JSON Schema can tell."""
    schemas, problems, judged = {}, [], 0
    for e in json.loads(output(nexus, repo, "test", "--json"))["list"]:
        table = e["table"]
        if table not in schemas:
            schema = json.loads(output(nexus, repo, "export", table, "--format", "jsonschema"))
            jsonschema.Draft202012Validator.check_schema(schema)
            schemas[table] = jsonschema.Draft202012Validator(schema)
        told = [error for error in e["errors"] if error["rule"] not in BEYOND and not from_request(error, e["context"])]
        if e["column"] is not None or (e["verdict"] == "refused" and not told):
            continue
        judged += 1
        valid = schemas[table].is_valid(json.loads(e["message"]))
        if valid != (e["verdict"] == "accepted"):
            problems.append(f"{table}, {e['name']}: {e['verdict']}, by the schema {'valid' if valid else 'not valid'}")
    report.check("JSON Schemas judge the examples as the decoder does", problems, f"{judged} messages, {len(schemas)} schemas")


def sources(report, nexus, repo, dbt, folder):
    project = os.path.join(folder, "exported")
    os.makedirs(os.path.join(project, "models"))
    for name, text in PROJECT.items():
        with open(os.path.join(project, name), "w") as f:
            f.write(text)
    with open(os.path.join(project, "models", "sources.yml"), "w") as f:
        f.write(output(nexus, repo, "export", "--format", "dbt"))
    done = subprocess.run([dbt, "parse", "--project-dir", project, "--profiles-dir", project], capture_output=True, text=True)
    if done.returncode != 0:
        report.bad("dbt Core parses the exported sources", [done.stdout])
        return
    with open(os.path.join(project, "target", "manifest.json")) as f:
        manifest = json.load(f)
    want = {c["contract"]: c["table"] for c in json.loads(output(nexus, repo, "ls", "--json"))["contracts"]}
    have = {f"{s['source_name']}.{s['name']}" for s in manifest["sources"].values()}
    tests = [n for n in manifest["nodes"].values() if n["resource_type"] == "test"]
    problems = sorted(set(want.values()) ^ have)
    report.check("dbt Core parses the exported sources", problems if tests else ["no test"], f"{len(have)} tables, {len(tests)} tests")


def check(report, nexus, repo, dbt, datacontract, folder):
    lint(report, nexus, repo, datacontract, folder)
    examples(report, nexus, repo)
    sources(report, nexus, repo, dbt, folder)
