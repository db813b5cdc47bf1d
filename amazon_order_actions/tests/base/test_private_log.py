import io
import logging
import re
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import psycopg2
import yaml

from odoo.tests import BaseCase, tagged
from odoo.tools import mute_logger

from ...models.base import private_log
from ...models.base.private_log import described, hide, private_logger, wordless
from ...models.order.reading import AmazonOrderReading
from ...spapi.errors import OutcomeUnknown
from ..common import CANCEL_REQUESTED, MCF, SHIPPED, UNSHIPPED
from ..conversation.test_reply import BUYER, ReplyCommon
from ..kinds.test_mcf import NEW_ADDRESS, OLD_ADDRESS, ON_HOLD, McfCommon

# What people wrote, and what somebody is called.
TITLE, TEXT, NOTE, NAME = (
    "zxTitleOfTheDocumentxz",
    "zxTextOfTheDocumentxz",
    "zxNoteOnTheActionxz",
    "zxNameOfTheBuyerxz",
)
RELAY = BUYER.partition("@")[0]
ORDER = re.compile(r"\w{3}-\d{7}-\d{7}")


@contextmanager
def everything_logged():
    """Let all loggers say all there is, and yield what they say.

    Of PostgreSQL's queries only what is worth a warning: `--log-sql` shows what is in
    the database, and is for whoever may see that.
    """
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
    known = [logging.getLogger(name) for name in list(logging.root.manager.loggerDict)]
    levels = {logger: logger.level for logger in [logging.root, *known]}
    for logger in levels:
        is_sql = logger.name.startswith("odoo.sql_db")
        logger.setLevel(logging.INFO if is_sql else logging.DEBUG)
    logging.root.addHandler(handler)
    try:
        yield stream
    finally:
        logging.root.removeHandler(handler)
        for logger, level in levels.items():
            logger.setLevel(level)


def names_of_the_demo():
    """Return the numbers of the demo's orders of the own shop."""
    path = Path(__file__).parents[3] / "spapi_simulator/demo_orders.yaml"
    seed = yaml.safe_load(path.read_text())
    return [order["id"] for order in seed["fulfillment_orders"]]


class PrivateLogCommon(ReplyCommon, McfCommon):
    """A buyer, and all that is logged from the beginning of a test."""

    def setUp(self):
        super().setUp()
        self.partner = self.env["res.partner"].create({"name": NAME, "email": BUYER})
        logged = everything_logged()
        self.said = logged.__enter__()
        self.addCleanup(logged.__exit__, None, None, None)
        self.addCleanup(self.simulator.clear_faults)

    def create_sale_order(self, ref=False, read=True, **values):
        texts = {"client_order_ref": TITLE, "note": TEXT, "partner_id": self.partner.id}
        return super().create_sale_order(ref, read, **{**texts, **values})

    def assert_private(self, *loggers):
        """Check what was said until now, and that these loggers have said something."""
        self.env.flush_all()
        said = self.said.getvalue()
        for name in loggers:
            self.assertIn(f"{name} ", said)
        secrets = [TITLE, TEXT, NOTE, NAME, RELAY, *OLD_ADDRESS, *NEW_ADDRESS]
        for secret in [*secrets, *names_of_the_demo()]:
            lines = [line for line in said.splitlines() if secret in line]
            self.assertEqual(lines, [], secret)
        self.assertEqual([x for x in said.splitlines() if ORDER.search(x)], [])


@tagged("post_install", "-at_install")
class TestNothingPrivateIsLogged(PrivateLogCommon):
    """Whatever happens to an order, no log line names it, or whoever has bought it."""

    # === ORDINARY DAYS === #

    def test_refund_with_a_reply(self):
        action = self.refund_with_reply(self.create_sale_order(SHIPPED), note=NOTE)
        self.settle()
        self.assertIn(action.state, ("accepted", "confirmed"))
        self.assert_private("httpx", "urllib3.connectionpool")

    def test_cancellation(self):
        action = self.ask_cancel(self.create_sale_order(CANCEL_REQUESTED))
        self.settle()
        self.assertIn(action.state, ("accepted", "confirmed"))
        self.assert_private("httpx")

    def test_shipment(self):
        action = self.ask_ship(self.create_sale_order(UNSHIPPED))
        self.settle()
        self.assertIn(action.state, ("accepted", "confirmed"))
        self.assert_private("httpx")

    def test_change_of_an_order_of_the_own_shop(self):
        sale_order = self.create_sale_order(amazon_fulfillment_ref=ON_HOLD)
        action = self.ask_change(sale_order, **self.new_address())
        self.settle()
        self.assertIn(action.state, ("accepted", "confirmed", "submitted"))
        self.assert_private("httpx")

    def test_reply(self):
        request = self.open_reply(self.create_sale_order(SHIPPED))
        text = f"Dear {NAME}, about {SHIPPED}: {NOTE}"
        request.write({"subject": SHIPPED, "text": text})
        request.action_send()
        self.settle()
        self.mails().send()
        self.assert_private()

    # === AND OTHERS === #

    def test_order_that_amazon_does_not_know(self):
        self.create_sale_order("305-1111111-1111111")
        self.assert_private("httpx")

    def test_answers_that_do_not_come(self):
        sale_order = self.create_sale_order(SHIPPED)
        self.simulator.fault("html_503", "createFeed")
        self.ask_refund(sale_order, note=NOTE)
        self.settle()
        self.simulator.clear_faults()
        self.simulator.fault("cut_before", "getOrder")
        self.create_sale_order(UNSHIPPED)
        self.settle()
        self.assert_private("httpx")

    def test_call_whose_outcome_is_unknown(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        self.simulator.fault("cut_after", "confirmShipment")
        self.ask_ship(sale_order)
        self.settle()
        self.assert_private("httpx")

    def test_rejection_with_amazons_words(self):
        sale_order = self.create_sale_order(SHIPPED)
        text = f"The order {SHIPPED} of {NAME} is invalid."
        self.simulator.fault("report_error", order_id=SHIPPED, code="18028", text=text)
        action = self.ask_refund(sale_order)
        self.settle()
        self.assertEqual(action.state, "rejected")
        self.assert_private()

    def test_error_in_the_program_while_an_order_is_recorded(self):
        words = ValueError(f"{NAME} bought {SHIPPED}")
        with patch.object(AmazonOrderReading, "_record", side_effect=words):
            self.create_sale_order(SHIPPED)
            self.run_jobs()
        self.assertIn("ValueError", self.said.getvalue())
        self.assert_private()

    def test_error_in_the_program_while_something_follows(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED), note=NOTE)
        words = ValueError(f"{NAME} bought {SHIPPED}")
        follower = type(self.env["amazon.action.follower.note"])
        with patch.object(follower, "_follow", side_effect=words):
            action.with_user(self.agent).action_withdraw()
        self.assertIn("ValueError", self.said.getvalue())
        self.assert_private()

    def test_query_that_postgresql_refuses(self):
        order = self.create_sale_order(SHIPPED).amazon_order_id
        values = {"title": NAME, "ref": SHIPPED, "order": order.id}
        with self.assertRaises(psycopg2.Error), self.env.cr.savepoint():
            self.env.cr.execute(
                "INSERT INTO amazon_order_line (title, amazon_item_ref, order_id)"
                " VALUES (%(title)s, %(ref)s, %(order)s / 0)",
                values,
            )
        self.assertIn("bad query", self.said.getvalue())
        self.assert_private("odoo.sql_db")

    def test_names_of_jobs(self):
        self.create_sale_order(SHIPPED, read=False)
        self.create_sale_order(amazon_fulfillment_ref=ON_HOLD, read=False)
        jobs = self.env["queue.job"].search([("id", ">=", self.first_job)])
        self.assertTrue(jobs)
        for job in jobs:
            self.assertNotRegex(job.name, ORDER)
            self.assertNotIn(ON_HOLD, job.name)
        self.assert_private()


@tagged("post_install", "-at_install")
class TestPrivateLog(BaseCase):
    """What is told of something that must not be named."""

    def setUp(self):
        super().setUp()
        self.stream = io.StringIO()
        self.handler = logging.StreamHandler(self.stream)
        self.handler.setFormatter(logging.Formatter("%(message)s"))

    def log(self, logger, method="error", *args, **options):
        logger.addHandler(self.handler)
        level, logger.propagate = logger.level, False
        logger.setLevel(logging.DEBUG)
        try:
            getattr(logger, method)(*args, **options)
        finally:
            logger.removeHandler(self.handler)
            logger.setLevel(level)
            logger.propagate = True
        return self.stream.getvalue()

    def test_number_and_address_are_hidden_and_the_rest_stays(self):
        self.assertEqual(
            hide(f"Order {SHIPPED} or {MCF} of {BUYER}, feed 12-3"),
            "Order *** or *** of ***@marketplace.amazon.de, feed 12-3",
        )
        for text in ("1302-4481516-2342108", "302-4481516-23421089", "a@example.com"):
            self.assertEqual(hide(text), text)

    def test_own_logger_says_where_but_not_what_an_exception_says(self):
        logger, said = private_logger("odoo.addons.amazon_order_actions.test"), ""
        try:
            raise ValueError(f"{NAME}\n\n{NOTE}")
        except ValueError as error:
            said = self.log(logger, "exception", "%s: %s", SHIPPED, error)
        self.assertIn("ValueError", said)
        self.assertIn("test_private_log.py", said)
        for secret in (NAME, NOTE, SHIPPED):
            self.assertNotIn(secret, said)

    def test_answer_of_amazon_is_told_by_its_facts(self):
        error = OutcomeUnknown("createFeed", NAME, "X", 503, "R-1")
        self.assertEqual(described(error), "OutcomeUnknown createFeed X 503 R-1")
        self.assertEqual(described(ValueError(NAME)), "ValueError")

    def test_traceback_in_a_text_loses_its_words_on_all_their_lines(self):
        text = "\n".join(
            (
                "Job failed",
                "Traceback (most recent call last):",
                '  File "/x/amazon_order_actions/models/a.py", line 1, in b',
                "    raise ValueError(name)",
                f"psycopg2.errors.NotNull: {NAME}",
                f"DETAIL:  Failing row contains ({NAME}).",
                "",
                f"  {NAME}",
                "",
                "During handling of the above exception, another exception occurred:",
                "",
                "Traceback (most recent call last):",
                '  File "/x/amazon_order_actions/models/a.py", line 2, in c',
                "    do()",
                f"ValueError: {NAME}",
            )
        )
        said = wordless(text)
        self.assertNotIn(NAME, said)
        for kept in (
            "Job failed",
            "psycopg2.errors.NotNull",
            "line 2, in c",
            "ValueError",
        ):
            self.assertIn(kept, said)

    def test_job_that_fails_says_no_words_of_ours_and_those_of_others(self):
        logger = logging.getLogger("odoo.addons.queue_job.controllers.main")
        frame = '  File "/x/%s/models/a.py", line 1, in b'
        for addon, is_hidden in (("amazon_order_stock", True), ("stock", False)):
            text = "\n".join(
                (
                    "Traceback (most recent call last):",
                    frame % addon,
                    f"ValueError: {NAME}",
                )
            )
            said = self.log(logger, "error", text)
            self.stream.truncate(0)
            self.assertEqual(NAME not in said, is_hidden, addon)

    def test_query_about_others_tables_is_shown_as_ever(self):
        logger = logging.getLogger("odoo.sql_db")
        said = self.log(logger, "error", "bad query: %s", f"SELECT '{NAME}' FROM x")
        self.assertIn(NAME, said)

    def test_each_of_our_modules_has_a_private_logger(self):
        root = Path(private_log.__file__).parents[3]
        open_loggers = [
            str(path.relative_to(root))
            for addon in root.glob("amazon_*")
            for path in addon.rglob("*.py")
            if "logging.getLogger(" in path.read_text()
            and not {"tests", "spapi"} & set(path.parts)
            and path.name != "private_log.py"
        ]
        self.assertEqual(open_loggers, [])

    @mute_logger("odoo.addons.amazon_order_actions.test")
    def test_filter_is_put_on_once(self):
        name = "odoo.addons.amazon_order_actions.test"
        self.assertIs(private_logger(name), private_logger(name))
        filters = private_logger(name).filters
        self.assertEqual(len(filters), len(set(filters)))
