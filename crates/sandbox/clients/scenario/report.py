"""Lists the clients, sums up what they passed, and writes the README's table.

    python3 -m scenario.report list NAME...
    python3 -m scenario.report summary OUT NAME[=WHY IT WAS LEFT OUT]...
    python3 -m scenario.report readme OUT NAME...

OUT has a folder for each client, with the result.json of its last run.
"""

import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).parent.parent
BEGIN, END = "<!-- clients -->\n", "<!-- /clients -->"


def folder(name):
    return HERE / re.sub("-zlib$", "", name)


def client(name):
    return json.loads((folder(name) / "client.json").read_text())


def version(name):
    """Returns the pinned version of a client's library, which its client.json names."""
    library = client(name)["library"]
    for file, pattern in [
        ("package.json", f'"{re.escape(library)}": "(.+?)"'),
        ("requirements.txt", rf"^{re.escape(library)}(?:\[\w+\])?==(\S+)"),
        ("Cargo.toml", rf'^{re.escape(library)} = .*?"=(.+?)"'),
    ]:
        if (folder(name) / file).exists():
            return re.search(pattern, (folder(name) / file).read_text(), re.MULTILINE)[1]
    raise FileNotFoundError(f"{folder(name)} has no file with versions")


def results(out, name):
    path = Path(out) / name / "result.json"
    return json.loads(path.read_text()) if path.exists() else []


def listing(names):
    for name in names:
        print(f"{name:18} {version(name):8} {client(name)['address'].replace('`', '')}")


def summary(out, names):
    for line in names:
        name, _, why = line.partition("=")
        if why:
            print(f"{name:18} left out: {why}")
            continue
        steps = results(out, name)
        wrong = [step for step in steps if step["ok"] is False]
        lacks = sum(step["ok"] is None for step in steps)
        seconds = sum(step.get("seconds", 0) for step in steps)
        words = [f"{sum(step['ok'] is True for step in steps):2} passed"]
        words += [f"{len(wrong)} failed ({', '.join(step['step'] for step in wrong)})"] if wrong else []
        words += [f"{lacks} left out"] if lacks else []
        print(f"{name:18} {', '.join(words)}, {seconds:.0f} s")
        if wrong:
            print(f"{'':18} see {Path(out) / name}")


def readme(out, names):
    rows = ["| library | how it is pointed at the sandbox | passes | lacks |", "|---|---|---|---|"]
    for name in names:
        steps = results(out, name)
        if not steps:
            sys.exit(f"{name} has not run, so the README's table is left as it is.")
        passed = f"{sum(step['ok'] is True for step in steps)} of {len(steps)}"
        lacks = client(name).get("lacks", {})
        # One reason for several steps is told once.
        reasons = {why: [step for step in lacks if lacks[step] == why] for why in lacks.values()}
        told = "; ".join(f"{', '.join(which)}: {why}" for why, which in reasons.items())
        rows.append(f"| {name} {version(name)} | {client(name)['address']} | {passed} | {told} |")
    path = HERE / "README.md"
    text = path.read_text()
    begin, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    path.write_text(text[:begin] + "\n".join(rows) + "\n" + text[end:])


if __name__ == "__main__":
    what, *words = sys.argv[1:] or [""]
    if what == "list":
        listing(words)
    elif what == "summary" and words:
        summary(words[0], words[1:])
    elif what == "readme" and words:
        readme(words[0], words[1:])
    else:
        sys.exit(__doc__)
