from odoo import models

from ..base.clock import as_utc


class AmazonActionDoubtListed(models.AbstractModel):
    """Amazon's list of feeds speaks against sending an action again: since it was found
    that Amazon does not have it, a feed has come to light that was created right after
    it was sent."""

    _name = "amazon.action.doubt.listed"
    _inherit = "amazon.action.doubt"
    _description = "Feeds That Were Listed Late"

    def _doubt(self, action):
        """Override: of what was sent before."""
        if not action.first_sending_at:
            return False
        feeds = self.env["amazon.feed"]
        late = feeds._listed_of_lost_time(action)
        if late:
            return self.env._(
                "This database was restored from a backup, and Amazon's list shows a "
                "feed of the time that it lost only now: %(feed)s, created on "
                "%(created)s. It may contain %(action)s, which is therefore not sent. "
                "Look at the order in Seller Central and decide.",
                action=action.name,
                feed=late.feed_ref,
                created=as_utc(late.created_at),
            )
        late = feeds._listed_after_all(action)
        if late:
            return self.env._(
                "%(action)s was not found at Amazon, and was to be sent again. By "
                "now Amazon's list shows a feed that may contain it: %(feed)s, "
                "created on %(created)s. So it is not sent again. Look at the "
                "order in Seller Central and decide.",
                action=action.name,
                feed=late.feed_ref,
                created=as_utc(late.created_at),
            )
        return False
