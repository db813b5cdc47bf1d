from odoo import fields, models
from odoo.exceptions import AccessError, UserError

# People that the question names; a feed can carry the work of many.
PEOPLE_NAMED = 5


class AmazonActionDrop(models.AbstractModel):
    """How a person asks Amazon not to process what it has received already.

    A part of `amazon.action`, which alone inherits it.
    """

    _name = "amazon.action.drop"
    _description = "Dropping the Feed of an Amazon Action"

    # === ACTION METHODS === #

    def action_cancel_feed_question(self):
        """Return what a person should know before asking Amazon to drop the feed.

        :rtype: str
        :raise AccessError: when the user may not take back all of the feed
        :raise UserError: when Amazon cannot be asked any more
        """
        feed_sudo = self._get_droppable_feed()
        asked = (
            self.env["amazon.action"]
            .sudo()
            ._read_group([("feed_id", "=", feed_sudo.id)], ["user_id"], ["__count"])
        )
        count = sum(of_user for _user, of_user in asked)
        if count == 1:
            return self.env._(
                "The feed %(feed)s carries nothing else. If Amazon drops it, nothing "
                "is executed. If Amazon has begun to process it by then, it goes on.",
                feed=feed_sudo.feed_ref,
            )
        asked.sort(key=lambda group: -group[1])
        return self.env._(
            "Amazon can only drop the feed %(feed)s as a whole, with all %(count)s "
            "actions that it carries (%(people)s). If Amazon drops it, none of them is "
            "executed. If Amazon has begun to process it by then, all of them go on.",
            feed=feed_sudo.feed_ref,
            count=count,
            people=", ".join(self._people_sentences(asked)),
        )

    def _people_sentences(self, asked):
        """Return how many actions each person asked for, the most diligent first."""
        sentences = [f"{user.name}: {count}" for user, count in asked[:PEOPLE_NAMED]]
        rest = sum(count for _user, count in asked[PEOPLE_NAMED:])
        if rest:
            sentences.append(self.env._("others: %s", rest))
        return sentences

    def action_cancel_feed(self):
        """Ask Amazon to drop the whole feed of this action, while it is in its queue.

        Amazon is asked in the background, and what becomes of the feed is seen by
        polling: cancelFeed only says that the wish was taken.

        :raise AccessError: when the user may not take back all of the feed
        :raise UserError: when Amazon cannot be asked any more
        """
        feed_sudo = self._get_droppable_feed()
        sentence = self.env._(
            "%(user)s asks Amazon to drop the feed %(feed)s. Whether Amazon does is "
            "not known yet.",
            user=self.env.user.name,
            feed=feed_sudo.feed_ref,
        )
        # A second click waits for this row, is run again, and finds it asked already.
        feed_sudo.write(
            {
                "drop_asked_at": fields.Datetime.now(),
                "drop_user_id": self.env.uid,
                "drop_message": sentence,
            }
        )
        feed_sudo.flush_recordset()
        self.sudo()._journal("drop", message=sentence)
        self.sudo()._post(
            lambda action: self.env._(
                "%(action)s: %(sentence)s", action=action.name, sentence=sentence
            )
        )
        feed_sudo._enqueue_drop()
        self.sudo().order_id._notify_forms()
        return True

    def _get_droppable_feed(self):
        """Return the feed in sudo mode, where the user may take back all of it.

        :rtype: amazon.feed
        :raise AccessError: when the user may not
        :raise UserError: when Amazon cannot be asked any more
        """
        self.ensure_one()
        self.check_access("read")
        feed_sudo = self.sudo().feed_id
        actions = self.env["amazon.action"]
        carried = [("feed_id", "=", feed_sudo.id)]
        for (kind,) in actions.sudo()._read_group(carried, ["kind"]):
            self.env[f"amazon.action.kind.{kind}"]._check_right()
        if actions.search_count(carried) != actions.sudo().search_count(carried):
            raise AccessError(
                self.env._(
                    "The feed also carries what you may not see, so you cannot have "
                    "it dropped."
                )
            )
        if feed_sudo.drop_asked_at:
            raise UserError(
                self.env._("Amazon has been asked to drop this feed already.")
            )
        if feed_sudo.is_adopted:
            raise UserError(
                self.env._(
                    "The feed %s was found in Amazon's list and may be another "
                    "program's, so Amazon is not asked to drop it. Wait for the "
                    "outcome.",
                    feed_sudo.feed_ref,
                )
            )
        if not feed_sudo._is_in_queue():
            raise UserError(
                self.env._(
                    "%(action)s is not in Amazon's queue any more, so Amazon cannot "
                    "drop it. Wait for the outcome.",
                    action=self.sudo().name,
                )
            )
        return feed_sudo
