import json
import os
import select
from unittest.mock import patch

import psycopg2

from odoo.sql_db import db_connect
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.base.tests.common import BaseCommon

from ...models.base import wake

LOGGER = "odoo.addons.amazon_order_actions.models.base.wake"


@tagged("post_install", "-at_install")
class TestWake(BaseCommon):
    """Open forms are woken after the commit, by a connection that stays open."""

    def setUp(self):
        super().setUp()
        self.waker = wake._Waker()
        self.addCleanup(self.waker.close)
        self.listener = db_connect(wake.BUS_DATABASE).cursor()
        self.addCleanup(self.listener.close)
        self.listener.execute("LISTEN imbus")
        self.listener.commit()

    def heard(self, seconds=5):
        """Return what listeners are told by now."""
        connection = self.listener._cnx
        select.select([connection], [], [], seconds)
        connection.poll()
        found = [json.loads(notice.payload) for notice in connection.notifies]
        connection.notifies.clear()
        return found

    def wake(self, *channels):
        self.waker.wake([json.dumps(list(channels))])

    def backend(self):
        return self.waker._cursor._cnx.get_backend_pid()

    def test_listeners_are_woken(self):
        self.wake("one")
        self.assertIn(["one"], self.heard())

    def test_connection_stays_open_without_a_transaction(self):
        self.wake("one")
        first = self.backend()
        self.wake("two")
        self.assertEqual(self.backend(), first)
        self.assertEqual(
            self.waker._cursor._cnx.status, psycopg2.extensions.STATUS_READY
        )

    def test_connection_that_was_cut_is_opened_again(self):
        self.wake("one")
        self.listener.execute("SELECT pg_terminate_backend(%s)", [self.backend()])
        self.listener.commit()
        self.heard()
        self.wake("two")
        self.assertIn(["two"], self.heard())

    def test_connection_that_nobody_used_for_long_is_opened_again(self):
        self.wake("one")
        first = self.backend()
        self.waker._used_at -= wake.KEPT_SECONDS + 1
        self.wake("two")
        self.assertNotEqual(self.backend(), first)

    def test_click_never_fails_by_it(self):
        """What was asked for is committed by then."""
        with (
            patch.object(wake, "db_connect", side_effect=psycopg2.OperationalError),
            self.assertLogs(LOGGER, "ERROR"),
        ):
            self.wake("one")
        self.wake("two")
        self.assertIn(["two"], self.heard())

    @mute_logger(LOGGER)
    def test_forked_process_leaves_the_connection_to_its_parent(self):
        self.wake("one")
        first, cursor = self.backend(), self.waker._cursor
        with patch.object(os, "getpid", lambda: -1):
            self.wake("two")
            self.assertNotEqual(self.backend(), first)
            self.assertFalse(cursor.closed)
            self.waker.close()
        cursor.close()

    def test_all_of_a_transaction_is_told_at_once(self):
        cr, bus = self.env.cr, self.env["bus.bus"]
        cr.postcommit.clear()
        cr.precommit.clear()
        bus.with_context(amazon_short_wake=True)._sendone("ours", "changed", {})
        # of another addon, in the same transaction
        bus._sendone("theirs", "changed", {})
        with patch.object(wake.waker, "wake") as woken:
            cr.postcommit.run()
        ((payloads,), _options) = woken.call_args
        database = cr.dbname
        self.assertEqual(
            json.loads(payloads[0]), [[database, "ours"], [database, "theirs"]]
        )
        cr.precommit.clear()

    def test_what_others_send_alone_goes_their_way(self):
        cr = self.env.cr
        cr.postcommit.clear()
        self.env["bus.bus"]._sendone("theirs", "changed", {})
        with patch.object(wake.waker, "wake") as woken:
            cr.postcommit.clear()
            cr.postcommit.run()
        woken.assert_not_called()
        cr.precommit.clear()
