"""What the documents name must be there: linked files, paths and file names, functions, make targets, commands with their options, and
configuration keys. Usage: docs.py ROOT NEXUS. Prints a line a thing that is not there and exits 1."""
import fnmatch
import json
import os
import re
import subprocess
import sys

ROOT, NEXUS = sys.argv[1:3]
MADE_AT_ROOT = {"build", ".git", "demo", "lake", ".nexus", "bench/results", "dbt/target", "dbt/logs"}
# names that stand for others, files of other packages, feeds
PLACEHOLDERS = {"x_int.h", "duckdb.h", "alpaca.stocks", "alpaca.rest"}


def tree():
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [f for f in folders if os.path.relpath(os.path.join(folder, f), ROOT) not in MADE_AT_ROOT]
        for name in files:
            yield os.path.relpath(os.path.join(folder, name), ROOT)


FILES = sorted(tree())
NAMES = {os.path.basename(f) for f in FILES}
TEXTS = {f: open(os.path.join(ROOT, f), errors="replace").read() for f in FILES if not f.startswith("tests/fuzz/corpus/")}
WORDS = set()
for path, text in TEXTS.items():
    if not path.endswith(".md"):
        WORDS.update(re.findall(r"[A-Za-z_]\w*", text))
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", TEXTS["Makefile"], re.M))
HELP = json.loads(subprocess.run([NEXUS, "help", "--json"], check=True, capture_output=True).stdout)
KEYS = json.loads(subprocess.run([NEXUS, "help", "config", "--json"], check=True, capture_output=True).stdout)["keys"]
COMMANDS = {c["name"]: c for c in HELP["commands"]}


def options(of):
    return {o[k] for o in of["options"] for k in ("name", "short") if o[k]}


GLOBAL = options(HELP)
SECTIONS = {k["name"].split(".")[0] for k in KEYS if "." in k["name"]}
missing = []


def there(pattern, beside):
    """A path, a folder, or a pattern of paths, from the root or from the document's folder."""
    for base in ("", "tests/", beside + "/" if beside else ""):
        at = os.path.normpath(base + pattern)
        if os.path.exists(os.path.join(ROOT, at)) or fnmatch.filter(FILES, at.replace("[.ch]", ".[ch]")):
            return True
    return False


def check_token(doc, token):
    beside = os.path.dirname(doc)
    if token in PLACEHOLDERS or re.search(r"[<…{]|NAME|TABLE", token):
        return
    if re.fullmatch(r"(src|tests|docs|scripts|dbt|quality|contracts|third_party|bench|unit|conformance|integration|fault|fuzz|interop)/[\w./*\[\]-]*", token):
        if not there(token, beside):
            missing.append(f"{doc}: no file {token}")
    elif re.fullmatch(r"[\w*-]+(\[\.ch\]|\.\[ch\])|[\w*-]+\.(c|h|sh|sql|md|py)", token):
        if not fnmatch.filter(NAMES, token):
            missing.append(f"{doc}: no file is called {token}")
    elif re.fullmatch(r"(nx_|test_)\w+(\(\))?", token):
        name = token.rstrip("()")
        if name not in WORDS and not fnmatch.filter(NAMES, name + ".*"):
            missing.append(f"{doc}: nothing is called {token}")
    elif re.fullmatch(r"[a-z]+(\.[a-z_]+)+", token) and token.split(".")[0] in SECTIONS and not fnmatch.filter(NAMES, token):
        if not any(k["name"] == token or k["name"].startswith(token + ".") for k in KEYS):
            missing.append(f"{doc}: no configuration key {token}")


def check_command(doc, words):
    """nexus [--option] COMMAND … with the options that follow; placeholders and shell syntax end it."""
    words = words.split(" #")[0]
    words = re.split(r"[|&;>)]|'", words)[0].split()
    at = 0
    while at < len(words) and words[at].startswith("-"):
        takes = next((o["value"] for o in HELP["options"] if o["name"] == words[at]), None)
        if words[at].split("=")[0] not in GLOBAL:
            missing.append(f"{doc}: nexus has no option {words[at]}")
        at += 2 if takes else 1
    if at >= len(words) or not re.fullmatch(r"[a-z]+", words[at]):
        return
    command = COMMANDS.get(words[at])
    if command is None:
        missing.append(f"{doc}: there is no command nexus {words[at]}")
        return
    for word in words[at + 1 :]:
        if re.fullmatch(r"--?[a-z][a-z-]*(=.*)?", word) and word.split("=")[0] not in GLOBAL | options(command):
            missing.append(f"{doc}: nexus {words[at]} has no option {word}")


def check_make(doc, words):
    for word in words.split():
        if re.fullmatch(r"[a-z][a-z-]+", word) and word not in TARGETS:
            missing.append(f"{doc}: no target make {word}")


def check_document(doc, planned):
    text = TEXTS[doc]
    for link in re.findall(r"\]\(([^)#\s]+)", text):
        if "://" not in link and not os.path.exists(os.path.join(ROOT, os.path.dirname(doc), link)):
            missing.append(f"{doc}: no file behind the link {link}")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)
    spans = [s.replace("\n", " ") for s in re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))]
    lines = [line for block in blocks for line in block.splitlines()]
    if planned:
        return
    for span in spans:
        for token in span.split():
            check_token(doc, token.rstrip(".,;:"))
    for line in lines + spans:
        for words in re.findall(r"(?:^|[&;|] |^build/)nexus ((?:-|[a-z]).*)", line):
            for part in re.split(r"(?:&&|&|;) *(?:build/)?nexus ", words):
                check_command(doc, part)
        for words in re.findall(r"^make ([^#;&]*)", line):
            check_make(doc, re.sub(r"-[sj]\d*", "", words))


def check_promises():
    """Each promise of ARCHITECTURE.md has a test that names it."""
    numbers = re.findall(r"^ ?(\d+)\. \*\*", TEXTS.get("ARCHITECTURE.md", ""), re.M)
    for number in numbers:
        named = re.compile(rf"[Pp]romises? (\d+(, | and ))*{number}\b")
        if not any(named.search(text) for path, text in TEXTS.items() if re.match(r"tests/.*/\w+\.(c|sh|py)$", path)):
            missing.append(f"ARCHITECTURE.md: no test names promise {number}")


documents = [f for f in FILES if f.endswith(".md")]
for document in documents:
    check_document(document, planned=document == "docs/ROADMAP.md")
check_promises()
for line in missing:
    print(line)
print(f"{len(documents)} documents, {len(missing)} things that are not there")
sys.exit(bool(missing) or len(documents) < 10)
