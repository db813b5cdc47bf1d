from datetime import timedelta

from odoo import api, fields, models

from ..base.clock import any_ahead, bring_back, database_now

# Hours after which Amazon's data shows, at the latest, what a database had sent before
# it was restored from a backup: orders from the last 48 hours might be missing
# (listFinancialEvents), and a day more for what is deferred.
LOST_TIME_HOURS = 72


class AmazonSellerMoments(models.AbstractModel):
    """Moments that decide what is believed of an account. Noted by the rooms that find
    them out, and read by all that go by them."""

    _name = "amazon.seller.moments"
    _description = "Amazon Moments of a Seller Account"

    feeds_listed_at = fields.Datetime(
        readonly=True,
        copy=False,
        help="By Amazon's clock: up to then its feeds were compared with ours.",
    )
    feeds_read_at = fields.Datetime(
        readonly=True, copy=False, help="When that list was asked for."
    )
    life_found_at = fields.Datetime(
        "Found Restored or Moved",
        readonly=True,
        copy=False,
        help="When it was last found that this database was restored, copied or moved. "
        "What Amazon said before is too old.",
    )
    restored_at = fields.Datetime(
        "Backup Restored",
        readonly=True,
        copy=False,
        help="When it was found that this database was restored from a backup: what "
        "was asked for before may have been sent in the time that it lost.",
    )
    life_listed_at = fields.Datetime(
        readonly=True,
        copy=False,
        help="By Amazon's clock: when its list of feeds was first read after this "
        "database was found to be restored, copied or moved.",
    )
    life_known_at = fields.Datetime(
        readonly=True,
        copy=False,
        help="When that list surely showed all that had been sent before.",
    )

    # === BUSINESS METHODS === #

    def _note_life(self, moment):
        """Note that this database was found to be restored, copied or moved: what
        Amazon said before is too old.

        :param datetime moment: when it was found
        """
        self.write(
            {"life_found_at": moment, "life_listed_at": False, "life_known_at": False}
        )

    def _note_listed(self, amazon_now):
        """Keep when Amazon's list was first read after the finding.

        :param datetime amazon_now: Amazon's time after that
        """
        if self.life_found_at and not self.life_listed_at:
            self.life_listed_at = amazon_now.replace(microsecond=0)

    def _is_restored_lately(self):
        """Whether Amazon may not show yet all that was sent before a restore.

        :rtype: bool
        """
        self.ensure_one()
        restored_at = self.sudo().restored_at
        since = database_now(self.env) - timedelta(hours=LOST_TIME_HOURS)
        return bool(restored_at) and restored_at > since

    # === BUSINESS METHODS - CLOCKS === #

    @api.model
    def _mend_future(self, account_ids, limit):
        """The database was found restored by now: what is read from now on counts."""
        now = database_now(self.env)
        times = ("life_found_at", "restored_at")
        accounts = self.browse(account_ids)
        ahead = accounts.filtered_domain(any_ahead(times, now))[:limit]
        bring_back(ahead, times, now)
        return len(ahead)
