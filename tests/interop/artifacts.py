"""manifest.json and run_results.json: dbt Core's own classes load them, its schema accepts them, and they say what dbt Core's say."""

import json
import os

import jsonschema
from dbt.artifacts.schemas.manifest import WritableManifest
from dbt.artifacts.schemas.run import RunResultsArtifact

COMMON = ("name", "resource_type", "package_name")
# per resource type: what must be equal in both manifests for every node
SAID = {
    "model": (*COMMON, "original_file_path", "path", "fqn", "alias", "schema", "description", "tags", "checksum", "refs", "sources"),
    "snapshot": (*COMMON, "original_file_path", "alias", "schema", "description", "tags", "refs"),
    "seed": (*COMMON, "original_file_path", "alias", "schema", "description", "tags"),
    "test": (*COMMON, "column_name", "attached_node", "refs", "sources"),
}


def _load(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def _schema_problems(artifact, value, limit=5):
    problems = []
    for e in jsonschema.Draft202012Validator(artifact.json_schema()).iter_errors(value):
        # a node fits none of the alternatives: the one of its own type tells why
        kind = e.instance.get("resource_type") if isinstance(e.instance, dict) else None
        near = [c for c in e.context or [] if not _another_type(e, c, kind)]
        why = "; ".join(f"{'/'.join(map(str, c.path))}: {c.message[:160]}" for c in near[:3]) or e.message[:300]
        problems.append(f"{'/'.join(map(str, e.absolute_path))}: {why}")
    if len(problems) > limit:
        problems[limit:] = [f"and {len(problems) - limit} more"]
    return problems


def _another_type(error, context, kind):
    branch = context.schema_path[0]
    return any(c.schema_path[0] == branch and list(c.path) == ["resource_type"] for c in error.context)


def _loads(report, artifact, path):
    name = os.path.basename(path)
    problems = []
    try:
        artifact.read_and_check_versions(path)
    except Exception as e:  # whatever the class raises is the finding
        problems.append(f"{type(e).__name__}: {e}")
    report.check(f"artifacts: dbt Core's {artifact.__name__} loads {name}", problems)
    report.check(f"artifacts: {name} fits dbt Core's schema", _schema_problems(artifact, _load(path)))


def _plain(key, value):
    """Order and repetition of refs say nothing."""
    return sorted({json.dumps(r, sort_keys=True) for r in value}) if key in ("refs", "sources") and value is not None else value


def _parents(node):
    return sorted(node["depends_on"].get("nodes", []))


def _node_problems(mine, other):
    problems = []
    for uid in sorted(mine.keys() & other.keys()):
        a, b = mine[uid], other[uid]
        for key in SAID.get(b["resource_type"], ()):
            if _plain(key, a.get(key)) != _plain(key, b.get(key)):
                problems.append(f"{uid} {key}: ours {a.get(key)!r}, dbt Core's {b.get(key)!r}")
        if _parents(a) != _parents(b):
            problems.append(f"{uid} depends_on: ours {_parents(a)}, dbt Core's {_parents(b)}")
        if a["config"].get("materialized") != b["config"].get("materialized"):
            problems.append(f"{uid} materialized: ours {a['config'].get('materialized')}, dbt Core's {b['config'].get('materialized')}")
    return problems[:20]


def _results(target):
    return {r["unique_id"]: (r["status"], r["failures"]) for r in _load(os.path.join(target, "run_results.json"))["results"]}


def _apart(mine, other):
    return [f"{k}: ours {mine.get(k)}, dbt Core's {other.get(k)}" for k in sorted(mine.keys() | other.keys()) if mine.get(k) != other.get(k)][:20]


def check(report, project, core):
    _loads(report, WritableManifest, os.path.join(project.target, "manifest.json"))
    _loads(report, RunResultsArtifact, os.path.join(project.target, "run_results.json"))
    mine, other = (_load(os.path.join(t, "manifest.json")) for t in (project.target, core.target))
    for part in ("nodes", "sources", "parent_map", "child_map"):
        problems = _apart(dict.fromkeys(mine[part], "there"), dict.fromkeys(other[part], "there"))
        report.check(f"artifacts: {part} are dbt Core's", problems, f"{len(mine[part])}")
    report.check("artifacts: nodes say what dbt Core's say", _node_problems(mine["nodes"], other["nodes"]))
    results = _results(project.target)
    report.check("artifacts: every node ends as dbt Core's", _apart(results, _results(core.target)), f"{len(results)}")
