"""Tries the API from outside, as docs/openapi.json describes it: requests that fit the document, and requests that don't, by schemathesis.

    .tools/venv-api/bin/python tests/api/try_the_api.py target/debug/partner-alerts-local

`./check api` builds the program and installs schemathesis. This starts the program on free ports with a state of its own, raises alerts at the stand-in for
Microsoft, waits until they are known, and has the API tried by somebody who may do everything and by somebody who may only look. The seed is fixed
(schemathesis.toml), and printed by schemathesis. It fails where an answer is not as the document says, where one is a server error, where the program
panics, and where no request of the one got an operation done that they may do: what is never done is not tried.
"""

import base64
import json
import os
import re
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from local_program import TENANT, Program, ask, wait_for  # noqa: E402

HERE = Path(__file__).resolve().parent
DOCUMENT = HERE.parent.parent / "docs" / "openapi.json"
CONFIG = HERE / "schemathesis.toml"
OPERATIONS = {
    what["operationId"]: (method.upper(), path)
    for path, item in json.loads(DOCUMENT.read_text())["paths"].items()
    for method, what in item.items()
}
CHANGES = [name for name, (method, _) in OPERATIONS.items() if method != "GET"]
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
# To be cancelled one by one, several at once, and to be active again: of one something is under way at a time. As in schemathesis.toml.
SUBSCRIPTIONS = [f"{first}-0d3b-4f58-b1e6-92a7c4d0f381" for first in ("6c2e9a47", "6c2e9a48", "6c2e9a49")]
ALERTS = [f"alert-{number}" for number in range(1, 13)]
# The default, and a role that may only look: one of the directory, since the stand-in's tokens have no other application role than AdminAgent.
ROLES = [
    {"roles": ["AdminAgent"], "permissions": ["see", "resolve"], "tenants": "*"},
    {"roles": ["AdminAgent", "GlobalAdministrator"], "permissions": ["cancel"], "tenants": "own"},
    {"roles": ["GlobalAdministrator"], "permissions": ["see"], "tenants": "*"},
]
PEOPLE = {
    "somebody who may do everything": ["adminAgent", "globalAdministrator"],
    "somebody who may only look": ["globalAdministrator"],
}
# What somebody gets no answer of success to, by operation, with the reason. For somebody who may do everything there is none: keep it so.
CANT = {
    "somebody who may do everything": {},
    "somebody who may only look": {
        "previewCancellation": "it takes the permission to cancel",
        **{name: "it takes the permission to resolve, or to cancel" for name in CHANGES},
    },
}


class Tried(Program):
    """The program that is tried, with what there is to be looked at and changed."""

    def raise_alerts(self):
        for number, alert in enumerate(ALERTS):
            ask(f"{self.control}/alerts", {"id": alert, "subscriptionId": SUBSCRIPTIONS[number % len(SUBSCRIPTIONS)]})
        ask(f"{self.control}/callbacks", {})
        token = self.token(PEOPLE["somebody who may do everything"])
        alerts = f"{self.gateway}/api/v1/alerts"
        wait_for("the alerts to be known", lambda: {it["id"] for it in json.loads(ask(alerts, token=token))["alerts"]} >= {*ALERTS})

    def prepare(self):
        """What is there to be looked at and changed, by the names that schemathesis.toml has for it."""
        token = self.token(PEOPLE["somebody who may do everything"])
        tenant = f"{self.gateway}/api/v1/tenants/{TENANT}"
        views = [json.loads(ask(f"{tenant}/views", {"name": name, "query": "state=open"}, token))["id"] for name in ("one", "two", "three", "four")]
        noted = json.loads(ask(f"{tenant}/alerts/{ALERTS[0]}/notes", {"note": "Before all others."}, token))
        tomorrow = datetime.now(timezone.utc) + timedelta(days=1)
        return {
            "OPERATION": noted["operation"],
            "TOMORROW": tomorrow.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "VIEW_TO_REMOVE": views[0],
            "VIEW_TO_REPLACE": views[1],
            "VIEW_TO_CHANGE": views[2],
            "VIEW_TO_END": views[3],
        }

def closed(shape):
    """The shape with no members but those that it names, where it doesn't say otherwise itself.

    Callers have to bear new members, so the document leaves its shapes open; but an answer of ours that has a member more than its document is a mistake in one
    of the two.
    """
    if isinstance(shape, list):
        return [closed(part) for part in shape]
    if not isinstance(shape, dict):
        return shape
    if "allOf" in shape:
        return shape | {"unevaluatedProperties": False}
    shape = {name: part if name == "example" else closed(part) for name, part in shape.items()}
    return {"additionalProperties": False} | shape if isinstance(shape.get("properties"), dict) else shape


def closed_document():
    """The document, with every shape closed."""
    document = json.loads(DOCUMENT.read_text())
    shapes = document["components"]["schemas"]
    # What others are made of together can't be closed by itself.
    parts = {part.rsplit("/", 1)[1] for part in re.findall(r'"allOf": (\[.*?\])', json.dumps(document)) for part in re.findall(r'"\$ref": "([^"]*)"', part)}
    for name in shapes.keys() - parts:
        shapes[name] = closed(shapes[name])
    return document


def tried(program, roles, document, config):
    """Whether all that was tried by somebody of these roles was answered as the document says, and each request that was made with its answer's status and body."""
    variables = os.environ | {"API_TOKEN": program.token(roles), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    report = document.with_name("report.har")
    command = [SCHEMATHESIS, "--config-file", config, "run", document, "--url", program.gateway, "--no-color"]
    done = subprocess.run([*command, "--report-har-path", report], env=variables, check=False)
    entries = json.loads(report.read_text())["log"]["entries"]
    made = [(it["request"]["method"], urlsplit(it["request"]["url"]).path, it["response"]["status"], text_of(it["response"])) for it in entries]
    return done.returncode == 0, made


def text_of(answer):
    """The body of an answer as the report has it."""
    content = answer["content"]
    text = content.get("text", "")
    return base64.b64decode(text).decode(errors="replace") if content.get("encoding") == "base64" else text


def got_done(status, body):
    """Whether an answer says that something was done: of many things, one of them at least."""
    if not 200 <= status < 300:
        return False
    results = json.loads(body).get("results") if body.startswith('{"results":[') else None
    return not results or any(one.get("acted") or one.get("result", {}).get("kind") in ("already_so", "done", "pending") for one in results)


def never_done(made):
    """The operations that no request got done."""
    done = [(method, path) for method, path, status, body in made if got_done(status, body)]

    def is_done(method, route):
        fits = re.compile(re.sub(r"\{\w+\}", "[^/]+", route))
        return any(how == method and fits.fullmatch(path) for how, path in done)

    return [name for name, (method, route) in OPERATIONS.items() if not is_done(method, route)]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as state:
        document = Path(state, DOCUMENT.name)
        document.write_text(json.dumps(closed_document()))
        program = Tried(sys.argv[1], Path(state), ROLES)
        try:
            program.raise_alerts()
            config = Path(state, CONFIG.name)
            # schemathesis itself fills in the token alone.
            config.write_text(Template(CONFIG.read_text()).safe_substitute(program.prepare()))
            failed = []
            for who, roles in PEOPLE.items():
                print(f"\n{who}:", flush=True)
                is_well, made = tried(program, roles, document, config)
                if not is_well:
                    failed.append(f"what was tried by {who}")
                if never := [name for name in never_done(made) if name not in CANT[who]]:
                    failed.append(f"{', '.join(never)}: never done by {who}, so not tried either: give schemathesis.toml what it takes")
            failed += program.panics()
        finally:
            program.stop()
    if failed:
        sys.exit("not as docs/openapi.json says, or worse:\n" + "\n".join(failed))


if __name__ == "__main__":
    main()
