"""The local system as a program, started on free ports with a state of its own, and how tests from outside ask it."""

import json
import subprocess
import sys
import time
import urllib.request

TENANT = "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10"
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

    def __init__(self, binary, state, roles):
        self.screen, self.log = state / "screen", state / "log"
        variables = {
            "LOCAL_GATEWAY": "127.0.0.1:0",
            "LOCAL_MICROSOFT": "127.0.0.1:0",
            "LOCAL_CONTROL": "127.0.0.1:0",
            "LOCAL_STATE_DIRECTORY": str(state / "state"),
            # Without it the tenant has no secret to act with, and nothing is resolved.
            "LOCAL_DEMONSTRATION": "on",
            "ROLE_MAP": json.dumps(roles),
        }
        with self.screen.open("wb") as screen, self.log.open("wb") as log:
            self.process = subprocess.Popen([binary], env=variables, stdout=screen, stderr=log)
        wait_for("the program to start", lambda: self.is_there("Ctrl-C stops"))
        self.gateway = self.address("sign in").removesuffix("/sign-in")
        self.microsoft = self.address("simulated Microsoft")
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

    def panics(self):
        return [line for line in self.log.read_text().splitlines() if "panicked" in line]

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)
