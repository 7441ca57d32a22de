"""Tries the API from outside, as docs/openapi.json describes it: requests that fit the document, and requests that don't, by schemathesis.

    .tools/venv-api/bin/python tests/api/try_the_api.py target/debug/partner-alerts-local

`./check api` builds the program and installs schemathesis. This starts the program on free ports with a state of its own, raises alerts at the stand-in for
Microsoft, waits until they are known, and has the API tried by somebody who may do everything and by somebody who may only look. The seed is fixed
(schemathesis.toml), and printed by schemathesis. It fails where an answer is not as the document says, where one is a server error, and where the program
panics.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
DOCUMENT = HERE.parent.parent / "docs" / "openapi.json"
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
SUBSCRIPTION = "6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381"
ALERTS = [f"alert-{number}" for number in range(1, 7)]
# The default, and a role that may only look.
ROLES = [
    {"roles": ["AdminAgent"], "permissions": ["see", "resolve"], "tenants": "*"},
    {"roles": ["AdminAgent", "GlobalAdministrator"], "permissions": ["cancel"], "tenants": "own"},
    {"roles": ["HelpdeskAgent"], "permissions": ["see"], "tenants": "*"},
]
PEOPLE = {
    "somebody who may do everything": ["adminAgent", "globalAdministrator"],
    "somebody who may only look": ["helpdeskAgent"],
}
PATIENCE = 60
# Whatever proxy the machine has is not for requests to itself.
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(address, body=None, token=None):
    """The answer's text: of a POST where there is a body."""
    request = urllib.request.Request(address, None if body is None else json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    with direct.open(request, timeout=30) as answer:
        return answer.read().decode()


def wait_for(what, found):
    """What `found` finds, as soon as it finds something."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if it := found():
            return it
        time.sleep(0.1)
    sys.exit(f"waited in vain for {what}")


class Program:
    """The local system, running."""

    def __init__(self, binary, state):
        self.screen, self.log = state / "screen", state / "log"
        variables = {
            "LOCAL_GATEWAY": "127.0.0.1:0",
            "LOCAL_MICROSOFT": "127.0.0.1:0",
            "LOCAL_CONTROL": "127.0.0.1:0",
            "LOCAL_STATE_DIRECTORY": str(state / "state"),
            "LOCAL_DEMONSTRATION": "off",
            "ROLE_MAP": json.dumps(ROLES),
        }
        with self.screen.open("wb") as screen, self.log.open("wb") as log:
            self.process = subprocess.Popen([binary], env=variables, stdout=screen, stderr=log)
        wait_for("the program to start", lambda: self.is_there("Ctrl-C stops"))
        self.gateway = self.address("sign in").removesuffix("/sign-in")
        self.control = self.address("simulator's control")

    def is_there(self, text):
        if self.process.poll() is not None:
            sys.exit(f"the program ended:\n{self.log.read_text()[-4_000:]}")
        return text in self.screen.read_text()

    def address(self, label):
        """An address that the program printed."""
        lines = (line.strip() for line in self.screen.read_text().splitlines())
        return next(line.split()[-1] for line in lines if line.startswith(label))

    def token(self, roles):
        return ask(f"{self.control}/access-tokens", {"roles": roles})

    def raise_alerts(self):
        for alert in ALERTS:
            ask(f"{self.control}/alerts", {"id": alert, "subscriptionId": SUBSCRIPTION})
        ask(f"{self.control}/callbacks", {})
        token = self.token(PEOPLE["somebody who may do everything"])
        alerts = f"{self.gateway}/api/v1/alerts"
        wait_for("the alerts to be known", lambda: len(json.loads(ask(alerts, token=token))["alerts"]) == len(ALERTS))

    def panics(self):
        return [line for line in self.log.read_text().splitlines() if "panicked" in line]

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)


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
    """The document, with every shape closed but that of problems, some of which have members beside those of all."""
    document = json.loads(DOCUMENT.read_text())
    shapes = document["components"]["schemas"]
    # What others are made of together can't be closed by itself.
    parts = {part.rsplit("/", 1)[1] for part in re.findall(r'"allOf": (\[.*?\])', json.dumps(document)) for part in re.findall(r'"\$ref": "([^"]*)"', part)}
    for name in shapes.keys() - parts - {"Problem"}:
        shapes[name] = closed(shapes[name])
    return document


def tried(program, roles, document):
    """Whether all that was tried by somebody of these roles was answered as the document says."""
    variables = os.environ | {"API_TOKEN": program.token(roles), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    command = [SCHEMATHESIS, "--config-file", HERE / "schemathesis.toml", "run", document, "--url", program.gateway, "--no-color"]
    return subprocess.run(command, env=variables, check=False).returncode == 0


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as state:
        document = Path(state, DOCUMENT.name)
        document.write_text(json.dumps(closed_document()))
        program = Program(sys.argv[1], Path(state))
        try:
            program.raise_alerts()
            failed = []
            for who, roles in PEOPLE.items():
                print(f"\n{who}:", flush=True)
                if not tried(program, roles, document):
                    failed.append(f"what was tried by {who}")
            failed += program.panics()
        finally:
            program.stop()
    if failed:
        sys.exit("not as docs/openapi.json says, or worse: " + "; ".join(failed))


if __name__ == "__main__":
    main()
