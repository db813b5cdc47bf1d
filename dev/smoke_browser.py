"""The agent of ``make smoke``: drives Chromium through Odoo's screens.

Runs in the environment of the checkout, since it needs Playwright. Leaves screenshots
and a report as JSON: for ``refund`` and ``cancel`` the outcome in the panel and two
times.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

#: For a page or a dialog, and for Amazon's answer to come back into the open ticket.
SCREEN_SECONDS = 60
OUTCOME_SECONDS = 240

VIEWPORT = {"width": 1440, "height": 1080}

#: States in which something is still to come.
UNDER_WAY = ("queued", "sending", "submitted")


class Agent:
    """A helpdesk agent in front of a browser.

    :param page: an empty tab
    :param folder: where screenshots go
    """

    def __init__(self, page: Page, url: str, folder: Path):
        self._page = page
        self._url = url
        self._folder = folder
        self._pictures = 0

    def log_in(self, login: str) -> None:
        """Log in with a password that is the same as the login, as in the demo data."""
        self._page.goto(f"{self._url}/web/login")
        self._page.get_by_label("Email").fill(login)
        self._page.get_by_label("Password").fill(login)
        self._page.get_by_role("button", name="Log in", exact=True).click()
        expect(self._page.locator(".o_main_navbar")).to_be_visible()

    def open_ticket(self, order: str) -> None:
        """Find the ticket about an order in the list; wait until it shows the order."""
        self._page.goto(f"{self._url}/odoo")
        self._page.locator(".o_navbar_apps_menu button").click()
        self._page.get_by_role("menuitem", name="Helpdesk").click()
        self._page.locator(".o_menu_sections button", has_text="Tickets").click()
        self._page.get_by_role("menuitem", name="All Tickets").click()
        row = self._page.locator(".o_data_row", has_text=order)
        row.locator(".o_data_cell[name='name']").click()
        expect(self._panel(".o_amazon_order_items")).to_be_visible()

    def request(self, button: str, reason: str, confirm: str, name: str) -> dict:
        """Ask for something by its dialog, and watch the ticket until the outcome.

        :param button: label of the button in the ticket
        :param reason: the reason to choose
        :param confirm: label of the button that does it
        :param name: what the screenshots are called
        """
        self._picture(f"{name}-ticket")
        self._page.locator(".o_statusbar_buttons button", has_text=button).click()
        dialog = self._page.locator(".modal")
        dialog.locator("[name='reason'] input").click()
        self._page.locator(".o_select_menu_item", has_text=reason).click()
        self._picture(f"{name}-dialog")
        clicked = time.monotonic()
        dialog.get_by_role("button", name=confirm, exact=True).click()
        expect(dialog).to_have_count(0)
        returned = time.monotonic()
        self._await_state("queued", "sending", "submitted", "accepted", "confirmed")
        self._picture(f"{name}-asked")
        self._await_outcome()
        ended = time.monotonic()
        self._picture(f"{name}-outcome")
        return {
            "outcome": self._panel(".o_amazon_action").get_attribute("data-state"),
            "seconds_to_return": returned - clicked,
            "seconds_to_outcome": ended - clicked,
        }

    def give_up(self) -> None:
        """Keep what is on the screen when something went wrong."""
        self._picture("last-screen")

    def _panel(self, selector: str):
        return self._page.locator(f".o_amazon_order_panel {selector}")

    def _await_state(self, *states: str) -> None:
        any_state = ", ".join(f".o_amazon_action[data-state='{s}']" for s in states)
        panel = self._page.locator(".o_amazon_order_panel")
        expect(panel.locator(any_state)).to_be_visible()

    def _await_outcome(self) -> None:
        under_way = "".join(f":not([data-state='{state}'])" for state in UNDER_WAY)
        outcome = self._panel(f".o_amazon_action{under_way}")
        expect(outcome).to_be_visible(timeout=OUTCOME_SECONDS * 1000)

    def _picture(self, name: str) -> None:
        self._pictures += 1
        self._page.screenshot(path=self._folder / f"{self._pictures:02}-{name}.png")


def main() -> None:
    """Refund one order and cancel another, as the demo's agent."""
    parser = argparse.ArgumentParser(description=__doc__)
    for option in ("url", "browser", "report", "refund", "cancel"):
        parser.add_argument(f"--{option}", required=True)
    options = parser.parse_args()
    report = Path(options.report)
    expect.set_options(timeout=SCREEN_SECONDS * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.browser)
        page = browser.new_page(viewport=VIEWPORT, locale="en-US")
        page.set_default_timeout(SCREEN_SECONDS * 1000)
        agent = Agent(page, options.url, report.parent)
        try:
            agent.log_in("agent")
            agent.open_ticket(options.refund)
            refund = agent.request(
                "Refund", "Customer return", "Refund the Buyer", "refund"
            )
            agent.open_ticket(options.cancel)
            cancel = agent.request(
                "Cancel Order", "No inventory", "Cancel the Order at Amazon", "cancel"
            )
        except BaseException:
            agent.give_up()
            raise
        finally:
            browser.close()
    report.write_text(json.dumps({"refund": refund, "cancel": cancel}))


if __name__ == "__main__":
    main()
