from markupsafe import Markup

from odoo import api, models


class SaleOrder(models.Model):
    _name = "sale.order"
    _inherit = ["sale.order", "amazon.order.mixin", "amazon.plain.export"]

    # === COMPUTE METHODS === #

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_display_name(self):
        """Override: who may not read it sees its number."""
        named = self._name_by_number()
        return super(SaleOrder, self - named)._compute_display_name()

    # === FINDING === #

    @api.model
    def _of_amazon_orders(self, orders):
        """Return the sale orders of Amazon orders, in sudo mode, for whoever may act on
        those.

        :param amazon.order orders: any number
        """
        return self.sudo().search(
            [
                ("amazon_order_id", "in", orders.ids),
                ("company_id", "in", orders.company_id.ids),
            ]
        )

    # === BUSINESS METHODS - AFTER A CANCELLATION AT AMAZON === #

    def _cancel_for_amazon(self, action):
        """Cancel the sale order.

        :param amazon.action action: the cancellation at Amazon
        :return: the note of it
        :rtype: str
        """
        documents = [self.name, *self._cancelled_along()]
        self.action_cancel()
        sentence = self.env._(
            "Cancelled in Odoo, too: %(documents)s (%(action)s).",
            documents=", ".join(documents),
            action=action.name,
        )
        self._message_log(body=sentence)
        return sentence

    def _cancelled_along(self):
        """Hook: return the names of what is cancelled with the sale order.

        :rtype: list[str]
        """
        return []

    def _tell_salesperson(self, action, sentence):
        """Schedule an activity for whoever has to change the sale order.

        :param amazon.action action: the cancellation at Amazon
        :param str sentence: what there is to do
        """
        known = f"{action.state_message} {sentence}"
        person = self.user_id if self.user_id.active else action.user_id
        self.activity_schedule(
            "mail.mail_activity_data_todo",
            summary=self.env._("Cancelled at Amazon"),
            # a title of Amazon's may hold markup
            note=Markup("<p>%s</p>") % known,
            user_id=person.id,
        )
        self._message_log(body=f"{action.name}: {known}")
