"""What people do on the pages. Each test opens browsers by `visit`, and may tell the stand-in for Microsoft what happens through `program`."""

import json

from playwright.sync_api import expect

from local_program import TENANT, ask, wait_for

PLACES = {"list": "/", "resolved": "/?state=resolved", "nothing": "/?q=nobody", "health": "/health", "events": "/events"}


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
        told = [alert for alert in json.loads(ask(f"{program.control}/alerts")) if alert["id"] == "scene-4"]
        assert told[0]["status"] == "resolved" and told[0]["resolvedReason"] == "fraud", told


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
