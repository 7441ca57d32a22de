"""Tries the pages as a person does, in Chromium: with the mouse and by the keyboard alone, wide and narrow, light and dark, with scripts and without.

    .tools/venv-browser/bin/python tests/browser/try_the_pages.py target/debug/partner-alerts-local [name of a test ...]

`./check browser` builds the program and installs Playwright and Chromium. This starts the program on free ports with a state of its own, has the stand-in for
Microsoft raise alerts, and signs people in at the stand-in for Entra ID. Each test has a browser of its own. It fails where a page asks anybody but us for
anything, where the browser complains (as it does where something is against the page's policy), and where axe finds what keeps somebody from using a page.
With SCREENSHOTS=folder it leaves pictures there.
"""

import os
import re
import sys
import tempfile
import traceback
from contextlib import contextmanager
from pathlib import Path

import axe_playwright_python
from playwright.sync_api import expect, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from local_program import TENANT, Program, ask, wait_for  # noqa: E402
import scenes  # noqa: E402

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
# WCAG 2.2, levels A and AA, and what axe knows besides.
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = {"wide": {"width": 1440, "height": 900}, "narrow": {"width": 360, "height": 740}}
ROLES = [
    {"roles": ["AdminAgent"], "permissions": ["see", "resolve"], "tenants": "*"},
    {"roles": ["AdminAgent", "GlobalAdministrator"], "permissions": ["cancel"], "tenants": "own"},
    {"roles": ["GlobalAdministrator"], "permissions": ["see"], "tenants": "*"},
]
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
SCREENSHOTS = os.environ.get("SCREENSHOTS")


class Tried(Program):
    """The program, with the customers and alerts of `scenes`."""

    def prepare(self):
        for customer in scenes.CUSTOMERS:
            ask(f"{self.control}/customers", customer)
        for alert in scenes.alerts():
            ask(f"{self.control}/alerts", alert)
        self.look()
        names = [customer["companyName"] for customer in scenes.CUSTOMERS]
        wait_for("the names of customers", lambda: all(name in self.listed() for name in names))

    def look(self):
        """Has Microsoft ring, so that what it has is known at once."""
        ask(f"{self.control}/callbacks", {})

    def listed(self):
        return ask(f"{self.gateway}/api/v1/alerts?size=100", token=self.token(["adminAgent"]))


class Visit:
    """A browser of somebody's, and what it complained of."""

    def __init__(self, program, page):
        self.program, self.page, self.complaints = program, page, []
        page.on("console", self.heard)
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.on("dialog", lambda dialog: (self.complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", self.asked)

    def heard(self, message):
        # A page that is refused is one that a test asked for.
        if message.type in ("error", "warning") and "the server responded with a status of" not in message.text:
            self.complaints.append(f"{message.type}: {message.text} on {self.page.url}")

    def asked(self, request):
        ours = request.url.startswith((self.program.gateway, self.program.microsoft))
        if not ours and not request.url.startswith("https://portal.azure.com/"):
            self.complaints.append(f"asked {request.url}")

    def goto(self, path):
        return self.page.goto(self.program.gateway + path)

    def sign_in(self, choice="global-administrator", path="/"):
        """Signs in as the person of this choice of the stand-in, on the way to a page."""
        self.goto(path)
        self.page.locator(f"button[value={choice}]").click()
        expect(self.page.locator("h1")).to_be_visible()

    def sign_in_as(self, roles, path="/"):
        """Signs in as somebody of these roles, without being asked."""
        ask(f"{self.program.control}/sign-ins", {"decision": "approve", "ahead": True, "roles": roles})
        self.goto(path)
        expect(self.page.locator("h1")).to_be_visible()

    def open_alert(self, name):
        self.page.get_by_role("link", name=name, exact=True).first.click()
        expect(self.page.get_by_role("heading", level=1, name=name)).to_be_visible()

    def assert_usable(self, what):
        """That axe finds nothing, and that nothing is wider than the screen."""
        self.page.evaluate(AXE)
        found = self.page.evaluate("tags => axe.run(document, { runOnly: { type: 'tag', values: tags } })", STANDARDS)
        wrong = [(it["id"], it["help"], [node["html"][:160] for node in it["nodes"]][:3]) for it in found["violations"]]
        assert not wrong, f"{what}: {wrong}"
        wide, screen = self.page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
        assert wide <= screen, f"{what}: {wide} pixels wide on a screen of {screen}"

    def picture(self, name):
        if SCREENSHOTS:
            self.page.screenshot(path=str(Path(SCREENSHOTS, f"{name}.png")), full_page=True)


@contextmanager
def visit(browser, program, *, width="wide", theme="light", scripts=True):
    context = browser.new_context(
        viewport=WIDTHS[width], color_scheme=theme, java_script_enabled=scripts, ignore_https_errors=True, timezone_id="Europe/Berlin", locale="en-GB"
    )
    context.set_default_timeout(15_000)
    try:
        visit = Visit(program, context.new_page())
        yield visit
        assert not visit.complaints, visit.complaints
    finally:
        context.close()


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    import tests_of_pages

    tests = {name: test for name, test in vars(tests_of_pages).items() if name.startswith("test_")}
    wanted = sys.argv[2:] or list(tests)
    failed = []
    with tempfile.TemporaryDirectory() as state, sync_playwright() as playwright:
        program = Tried(sys.argv[1], Path(state), ROLES)
        try:
            program.prepare()
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            for name in wanted:
                try:
                    tests[name](lambda **how: visit(browser, program, **how), program)
                    print(f"ok      {name}", flush=True)
                except Exception:  # noqa: BLE001  whatever it is, the next one is tried
                    failed.append(name)
                    print(f"FAILED  {name}\n{traceback.format_exc()}", flush=True)
            failed += program.panics()
        finally:
            program.stop()
    if failed:
        sys.exit(f"{len(failed)} failed: {failed}")
    assert wanted, "a run of no test has proved nothing"
    # As cargo tells it, for whoever counts.
    print(f"test result: ok. {len(wanted)} passed; 0 failed")


if __name__ == "__main__":
    main()
