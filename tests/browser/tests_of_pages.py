"""What people do on the pages. Each test opens browsers by `visit`, and may tell the stand-in for Microsoft what happens through `program`."""

import csv
import io
import json
import re
from pathlib import Path

from playwright.sync_api import expect

from local_program import TENANT, ask, wait_for

PLACES = {"list": "/", "resolved": "/?state=resolved", "nothing": "/?q=nobody", "health": "/health", "events": "/events"}


def there(alert, program):
    """The alert as Microsoft has it."""
    return next(one for one in json.loads(ask(f"{program.control}/alerts")) if one["id"] == alert)


def test_a_person_signs_in_finds_an_alert_by_customer_and_marks_it_as_fraud(visit, program):
    with visit() as it:
        it.sign_in(path="/?state=open")
        page = it.page
        expect(page).to_have_title("(6) Security alerts - Partner Alerts")
        page.get_by_role("searchbox").fill("adat")
        page.get_by_role("button", name="Show", exact=True).click()
        expect(page.get_by_text("Alerts of Adatum")).to_be_visible()
        assert page.locator("tbody a[href^='/alerts/']").count() == 3
        it.open_alert("Unusual spending")
        page.get_by_role("link", name="Back to alerts").click()
        expect(page.get_by_role("searchbox")).to_have_value("adat")
        it.open_alert("Unusual spending")
        page.go_back()
        expect(page.get_by_role("searchbox")).to_have_value("adat")
        page.go_forward()
        page.get_by_label("Note (it stays here)").fill("Seen by phone: <b>theirs</b>")
        page.get_by_role("button", name="Mark as fraud").click()
        expect(page.get_by_text("resolved (fraud)").first).to_be_visible()
        expect(page.get_by_text("Seen by phone: <b>theirs</b>").first).to_be_visible()
        expect(page.get_by_role("button", name="Open it again")).to_be_visible()
        told = there("scene-4", program)
        assert told["status"] == "resolved" and told["resolvedReason"] == "fraud", told


def test_a_subscription_is_cancelled_by_who_signs_in_for_it(visit, program):
    with visit() as it:
        it.sign_in()
        page = it.page
        it.open_alert("Anomalous compute usage")
        page.get_by_role("link", name="Cancel subscription").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Northwind production")
        it.assert_usable("what a cancellation ends")
        it.picture("cancel")
        page.locator("input[name=name]").fill("Northwind research")
        page.locator("button.danger").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("A value is not accepted")
        it.picture("cancel-other-name")
        page.go_back()
        page.locator("input[name=name]").fill("Northwind production")
        page.locator("button.danger").click()
        it.picture("cancel-sign-in")
        assert json.loads(ask(f"{program.control}/subscriptions")) == [], "a name alone ends nothing"
        page.get_by_role("button", name="Go on to sign in").click()
        page.locator("button[value=global-administrator]").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("You have signed in for it")
        it.picture("cancelled")
        acts = json.loads(ask(f"{program.control}/subscriptions"))
        assert "6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381" in json.dumps(acts), acts


def test_a_view_is_saved_and_found_again(visit, program):
    with visit() as it:
        it.sign_in(path="/?severity=high&columns=customer")
        page = it.page
        page.get_by_text("Save this view, or change yours").click()
        page.get_by_label("Name", exact=False).first.fill("Bad ones")
        page.get_by_role("button", name="Save", exact=False).first.click()
        it.goto("/")
        page.get_by_role("link", name="Bad ones").click()
        expect(page.get_by_label("Severity").first).to_have_value("high")
        it.assert_usable("a saved view")
        it.picture("saved-view")


def test_an_export_has_the_rows_of_the_table(visit, program):
    with visit() as it:
        it.sign_in(path="/?state=all&test=false&size=100")
        page = it.page
        rows = page.locator("tbody tr", has=page.locator("a[href^='/alerts/']"))
        table = {row.locator("td[data-label='Alert ID']").inner_text(): row.locator("td.wide").inner_text() for row in rows.all()}
        with page.expect_download() as download:
            page.get_by_role("link", name="Export CSV").click()
        assert download.value.suggested_filename == "partner-alerts.csv"
        text = Path(download.value.path()).read_bytes().decode()
        assert text.startswith("\ufeff"), "spreadsheets know the encoding by it"
        exported = {row["alert_id"]: row["alert_name"] for row in csv.DictReader(io.StringIO(text[1:]))}
        assert exported == table, (exported, table)
        with page.expect_download() as download:
            page.get_by_role("link", name="Export JSON").click()
        assert {alert["id"] for alert in json.loads(Path(download.value.path()).read_bytes())} == table.keys()


def test_several_are_resolved_at_once(visit, program):
    for number in (21, 22):
        ask(f"{program.control}/alerts", {"id": f"scene-{number}", "displayName": f"Bulk {number}", "severity": "low"})
    program.look()
    wait_for("the alerts to be known", lambda: "scene-22" in program.listed())
    with visit() as it:
        it.sign_in()
        page = it.page
        for number in (21, 22):
            page.get_by_role("checkbox", name=f"Choose Bulk {number}").check()
        page.get_by_role("button", name="Mark as legitimate").click()
        expect(page.get_by_role("link", name="Bulk 21")).to_have_count(0)
        expect(page.get_by_role("link", name="Bulk 22")).to_have_count(0)


def test_without_scripts_all_of_it_works(visit, program):
    ask(f"{program.control}/alerts", {"id": "scene-31", "displayName": "Without scripts", "severity": "low"})
    program.look()
    wait_for("the alert to be known", lambda: "scene-31" in program.listed())
    with visit(scripts=False) as it:
        it.sign_in()
        page = it.page
        expect(page.locator("td time").first).to_contain_text("UTC")
        expect(page.get_by_text("All of this page")).to_be_hidden()
        page.get_by_role("checkbox", name="Choose Without scripts").check()
        page.get_by_role("checkbox", name="Choose Without scripts").press("Enter")
        expect(page.get_by_role("heading", level=1)).not_to_have_text("Security alerts")
        assert there("scene-31", program)["status"] == "active", "a box and Enter decide nothing"
        it.goto("/")
        it.open_alert("Without scripts")
        page.get_by_role("button", name="I do", exact=True).click()
        expect(page.get_by_role("button", name="Nobody", exact=True)).to_be_visible()
        page.get_by_role("button", name="Mark as legitimate").click()
        expect(page.get_by_text("resolved (legitimate)").first).to_be_visible()
        it.picture("without-scripts")


def test_by_the_keyboard_alone(visit, program):
    ask(f"{program.control}/alerts", {"id": "scene-41", "displayName": "By the keyboard", "severity": "low", "customerTenantId": "4a8f2d64-5b0e-4c39-9d7a-7e2c1f60b8d3"})
    program.look()
    wait_for("the alert to be known", lambda: "scene-41" in program.listed())
    with visit() as it:
        it.sign_in()
        page = it.page

        def go_to(name, role):
            """Steps on until this has the focus, which is to be seen."""
            target = page.get_by_role(role, name=name, exact=True).first
            for _ in range(200):
                page.keyboard.press("Tab")
                if target.evaluate("it => it === document.activeElement"):
                    outline = target.evaluate("it => getComputedStyle(it).outlineStyle")
                    assert outline != "none", f"{name} has the focus, and nothing shows it"
                    return
            raise AssertionError(f"{name} is out of reach")

        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="To the content")).to_be_focused()
        page.keyboard.press("Enter")
        go_to("Choose By the keyboard", "checkbox")
        page.keyboard.press("Space")
        page.keyboard.press("Enter")
        expect(page.get_by_role("checkbox", name="Choose By the keyboard")).to_be_checked()
        assert there("scene-41", program)["status"] == "active", "a box and Enter decide nothing"
        go_to("By the keyboard", "link")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1, name="By the keyboard")).to_be_visible()
        go_to("A note", "textbox")
        page.keyboard.type("Written without a mouse")
        go_to("Keep it", "button")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Written without a mouse").first).to_be_visible()
        go_to("Mark as fraud", "button")
        page.keyboard.press("Space")
        expect(page.get_by_text("resolved (fraud)").first).to_be_visible()


def test_what_is_new_shows_without_reloading(visit, program):
    with visit() as it:
        it.page.clock.install()
        it.sign_in()
        page = it.page
        count = page.locator("tbody a[href^='/alerts/']").count()
        title = page.title()
        ask(f"{program.control}/alerts", {"id": "scene-51", "displayName": "It came meanwhile"})
        program.look()
        wait_for("the alert to be known", lambda: "scene-51" in program.listed())
        page.clock.fast_forward(31_000)
        expect(page.get_by_role("link", name="It came meanwhile")).to_be_visible()
        assert page.locator("tbody a[href^='/alerts/']").count() == count + 1
        assert page.title() != title and page.title().startswith("("), page.title()
        # What somebody is about to do is not taken out of their hands.
        page.get_by_role("checkbox", name="Choose It came meanwhile").check()
        ask(f"{program.control}/alerts", {"id": "scene-52", "displayName": "And another one"})
        program.look()
        wait_for("the alert to be known", lambda: "scene-52" in program.listed())
        page.clock.fast_forward(31_000)
        expect(page.get_by_text("Something is new")).to_be_visible()
        expect(page.get_by_role("checkbox", name="Choose It came meanwhile")).to_be_checked()


def test_the_hour_goes_on_being_counted(visit, program):
    with visit() as it:
        it.page.clock.install()
        it.sign_in()
        left = it.page.locator("tr", has=it.page.get_by_role("link", name="Anomalous compute usage")).locator("[data-end]")
        expect(left).to_have_text(re.compile(r"^\d+ min left$"))
        it.page.clock.fast_forward(3_600_000)
        expect(left).to_have_text(re.compile(r"^late by \d+ min$"))
        expect(left).to_have_class("late")


def test_a_page_goes_on_after_trouble_and_says_that_a_session_has_ended(visit, program):
    with visit() as it:
        it.page.clock.install()
        it.sign_in(path="/?columns=severity&columns=customer")
        page = it.page
        summary = page.get_by_text("How it is computed").first
        summary.click()
        ask(f"{program.control}/alerts", {"id": "scene-61", "displayName": "In the middle of trouble"})
        program.look()
        wait_for("the alert to be known", lambda: "scene-61" in program.listed())
        page.route("**/?columns*", lambda route: route.fulfill(status=503, body=""))
        page.clock.fast_forward(31_000)
        expect(page).to_have_title(re.compile(r"^\("))
        page.unroute("**/?columns*")
        with page.expect_response("**/?columns*"):
            page.clock.fast_forward(31_000)
        expect(page.get_by_role("link", name="In the middle of trouble")).to_be_visible()
        assert page.locator(".card details").first.evaluate("it => it.open"), "what was opened stays open"
        expect(summary).to_be_focused()
        it.page.context.clear_cookies()
        page.clock.fast_forward(31_000)
        expect(page.get_by_text("Your session has ended")).to_be_visible()


def test_every_page_can_be_used_by_everybody(visit, program):
    for width in ("wide", "narrow"):
        for theme in ("light", "dark"):
            with visit(width=width, theme=theme) as it:
                it.sign_in()
                for name, path in PLACES.items():
                    it.goto(path)
                    it.assert_usable(f"{name}, {width}, {theme}")
                    it.picture(f"{name}-{width}-{theme}")
                it.goto("/")
                while (closed := it.page.locator("details:not([open]) > summary")).count():
                    closed.first.click()
                it.assert_usable(f"all opened, {width}, {theme}")
                it.picture(f"opened-{width}-{theme}")
                it.goto(f"/alerts/{TENANT}/scene-1")
                it.assert_usable(f"an alert, {width}, {theme}")
                it.picture(f"alert-{width}-{theme}")
                it.goto(f"/alerts/{TENANT}/nobody")
                it.assert_usable(f"no alert, {width}, {theme}")
                it.picture(f"missing-{width}-{theme}")


def test_times_are_the_viewers_with_utc_beside(visit, program):
    with visit() as it:
        it.sign_in()
        time = it.page.locator("td time").first
        assert "UTC" not in time.inner_text() and time.get_attribute("title").endswith("UTC"), time.inner_text()


def test_whoever_may_only_look_sees_nothing_to_press(visit, program):
    with visit() as it:
        it.sign_in_as(["globalAdministrator"])
        page = it.page
        expect(page.get_by_role("heading", level=1, name="Security alerts")).to_be_visible()
        expect(page.get_by_role("button", name="Mark as fraud")).to_have_count(0)
        it.open_alert("Connections to known mining pools")
        for button in ("Mark as fraud", "I do", "Keep it"):
            expect(page.get_by_role("button", name=button)).to_have_count(0)


def test_whoever_may_see_nothing_is_told_so(visit, program):
    with visit() as it:
        it.sign_in(choice="reader")
        expect(it.page.get_by_text("You are signed in as reader@")).to_be_visible()
        it.assert_usable("nothing to be seen")
        it.picture("no-permission")


def test_whoever_signs_out_sees_nothing_any_more(visit, program):
    with visit() as it:
        it.sign_in()
        it.page.get_by_role("button", name="Sign out").click()
        it.goto("/health")
        expect(it.page.get_by_role("heading", name="Simulated Entra ID")).to_be_visible()
