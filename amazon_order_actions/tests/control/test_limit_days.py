from datetime import date, datetime, timedelta

import pytz

from odoo.tests import TransactionCase, tagged

from ...models.control.calendar_day import day_at, day_bounds
from ..common import SHIPPED
from .test_authority import AuthorityCommon

# Where clocks are changed at midnight, and when, in UTC: the moments around which a
# day may lose, or gain, an hour.
CHANGES = [
    # back over midnight: it comes twice
    ("Atlantic/Azores", datetime(2026, 10, 25, 1)),
    ("America/Havana", datetime(2025, 11, 2, 5)),
    ("America/Scoresbysund", datetime(2022, 10, 30, 1)),
    # back over midnight by a minute, so that the day before comes twice, too
    ("America/St_Johns", datetime(2010, 11, 7, 2, 31)),
    # back at midnight, so that the last hour of a day comes twice
    ("America/Sao_Paulo", datetime(2019, 2, 17, 2)),
    ("Asia/Beirut", datetime(2026, 10, 24, 21)),
    # back over midnight by three hours
    ("Antarctica/Casey", datetime(2023, 3, 8, 16)),
    # forward at midnight: there is none
    ("America/Sao_Paulo", datetime(2018, 11, 4, 3)),
    ("Asia/Beirut", datetime(2026, 3, 28, 22)),
    ("Atlantic/Azores", datetime(2026, 3, 29, 1)),
    ("America/Havana", datetime(2025, 3, 9, 5)),
    # forward over midnight by half an hour
    ("Asia/Pyongyang", datetime(2018, 5, 4, 15)),
    # a whole day that never was
    ("Pacific/Apia", datetime(2011, 12, 30, 10)),
    # not at midnight at all
    ("Europe/Berlin", datetime(2026, 10, 25, 1)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15)),
]


@tagged("post_install", "-at_install")
class TestCalendarDay(TransactionCase):
    """A day is all moments at which a calendar shows it."""

    def test_no_moment_of_a_day_is_left_out(self):
        """Minute by minute around each change."""
        for zone, change in CHANGES:
            bounds = {}
            for minutes in range(-26 * 60, 26 * 60):
                moment = change + timedelta(minutes=minutes)
                day = day_at(moment, zone)
                if day not in bounds:
                    bounds[day] = day_bounds(day, zone)
                begins, ends = bounds[day]
                with self.subTest(zone=zone, moment=moment):
                    self.assertLessEqual(begins, moment)
                    self.assertLess(moment, ends)

    def test_day_begins_at_the_first_moment_that_shows_it(self):
        """Not an hour early where midnight does not exist, not an hour late where it
        comes twice."""
        for zone, change in CHANGES:
            for days in (-1, 0, 1):
                day = day_at(change, zone) + timedelta(days=days)
                begins, ends = day_bounds(day, zone)
                if begins == ends:
                    # Samoa had no 30th of December 2011
                    self.assertEqual((zone, day), ("Pacific/Apia", date(2011, 12, 30)))
                    continue
                with self.subTest(zone=zone, day=day):
                    self.assertEqual(day_at(begins, zone), day)
                    before = day_at(begins - timedelta(seconds=1), zone)
                    self.assertLess(before, day)

    def test_lengths_of_the_days_on_which_clocks_are_changed(self):
        for zone, day, hours in (
            # from the earlier midnight; the day before until the later one
            ("Atlantic/Azores", date(2026, 10, 25), 25),
            ("Atlantic/Azores", date(2026, 10, 24), 25),
            ("Atlantic/Azores", date(2026, 10, 26), 24),
            ("America/Havana", date(2025, 11, 2), 25),
            ("Asia/Beirut", date(2026, 10, 24), 25),
            ("Asia/Beirut", date(2026, 3, 29), 23),
            ("America/Sao_Paulo", date(2018, 11, 4), 23),
            ("America/Sao_Paulo", date(2018, 11, 3), 24),
            ("Europe/Berlin", date(2026, 10, 25), 25),
            ("Europe/Berlin", date(2026, 3, 29), 23),
            ("Pacific/Apia", date(2011, 12, 29), 24),
            ("Pacific/Apia", date(2011, 12, 31), 24),
            ("UTC", date(2026, 10, 25), 24),
        ):
            begins, ends = day_bounds(day, zone)
            with self.subTest(zone=zone, day=day):
                self.assertEqual(ends - begins, timedelta(hours=hours))

    def test_every_time_zone_that_can_be_chosen_has_days(self):
        for zone in pytz.all_timezones:
            begins, ends = day_bounds(date(2026, 11, 1), zone)
            with self.subTest(zone=zone):
                self.assertLess(begins, ends)


@tagged("post_install", "-at_install")
class TestLimitDays(AuthorityCommon):
    """A limit of a day holds in each hour of it, whatever clocks do."""

    def assert_limit_holds(self, zone, *moments):
        """Refund 7.01 at each moment, under a limit of 10: the first one goes."""
        self.company.amazon_tz = zone
        self.give(limit_person_day=10)
        with self.everything_at(moments[0]):
            sale_order = self.create_sale_order(SHIPPED)
            self.assertEqual(self.refund(7.01, document=sale_order).state, "queued")
        for moment in moments[1:]:
            with self.everything_at(moment), self.subTest(moment=moment):
                action = self.refund(7.01, document=sale_order)
                self.assert_waits(action, "7.01 € is used")
                action._set_withdrawn()

    def test_limit_holds_in_the_hour_that_comes_twice(self):
        self.assert_limit_holds(
            "Atlantic/Azores",
            "2026-10-25 00:10:00",  # 0:10, before the clock goes back at 1:00
            "2026-10-25 00:20:00",
            "2026-10-25 00:50:00",
            "2026-10-25 01:10:00",  # 0:10 again
            "2026-10-25 01:50:00",
            "2026-10-26 00:30:00",  # 23:30
        )

    def test_limit_of_havana_holds_from_the_earlier_midnight_on(self):
        self.assert_limit_holds(
            "America/Havana",
            "2025-11-02 04:01:00",  # 0:01
            "2025-11-02 04:59:00",
            "2025-11-02 05:01:00",  # 0:01 again
            "2025-11-03 04:59:00",  # 23:59
        )

    def test_limit_of_a_group_holds_in_the_hour_that_comes_twice(self):
        self.company.amazon_tz = "Atlantic/Azores"
        self.give(limit_group_day=10)
        colleague = self._create_user(
            "amazon_colleague",
            "sales_team.group_sale_salesman_all_leads",
            "amazon_order_actions.group_refund",
        )
        with self.everything_at("2026-10-25 00:10:00"):
            sale_order = self.create_sale_order(SHIPPED)
            self.assertEqual(self.refund(7.01, document=sale_order).state, "queued")
        with self.everything_at("2026-10-25 00:40:00"):
            action = self.refund(7.01, document=sale_order, user=colleague)
            self.assert_waits(action, "7.01 € is used")

    def test_evening_before_does_not_count(self):
        """Nobody is refused for what was asked for on the day before."""
        for zone, evening, next_day in (
            # 23:50; 0:10 of the 25th, for the first time
            ("Atlantic/Azores", "2026-10-24 23:50:00", "2026-10-25 00:10:00"),
            # 23:50; 1:10: there is no 0:10
            ("Asia/Beirut", "2026-03-28 21:50:00", "2026-03-28 22:10:00"),
        ):
            self.company.amazon_tz = zone
            self.env["amazon.authority"].search([]).unlink()
            self.give(limit_person_day=10)
            with self.everything_at(evening):
                sale_order = self.create_sale_order(SHIPPED)
                first = self.refund(7.01, document=sale_order)
            with self.everything_at(next_day), self.subTest(zone=zone):
                second = self.refund(7.01, document=sale_order)
                self.assertEqual(second.state, "queued")
            (first | second)._set_withdrawn()

    def test_limit_holds_where_this_host_is_an_hour_behind(self):
        """What is asked for after midnight is counted by PostgreSQL's clock."""
        self.company.amazon_tz = "UTC"
        self.give(limit_person_day=10)
        with self.everything_at("2026-11-22 00:10:00"):
            sale_order = self.create_sale_order(SHIPPED)
            with self.host_ahead(hours=-1):
                self.assertEqual(self.refund(7.01, document=sale_order).state, "queued")
                action = self.refund(7.01, document=sale_order)
                self.assert_waits(action, "7.01 € is used")
