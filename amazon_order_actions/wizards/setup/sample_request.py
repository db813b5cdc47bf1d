from odoo import Command, fields, models
from odoo.exceptions import AccessError, UserError

from ...models.base.groups import ADMIN
from ...models.sample.removal import SAMPLE
from ...spapi.client import SellerClient
from ...spapi.credentials import Credentials, Endpoint
from ...spapi.errors import SpApiError

# What the simulator's shop is connected with (its demo_orders.yaml); Amazon knows none
# of it. A test compares both.
SELLER_ID = "ADEMOSELLER01"
REGION = "eu"
CLIENT_ID = "amzn1.application-oa2-client.demo"
CLIENT_SECRET = "demo-secret"  # noqa: S105 - opens nothing but the simulator
REFRESH_TOKEN = "Atzr|demo-refresh-token"  # noqa: S105
# The shop's orders that documents are made for: one that was shipped, to be refunded,
# and one that was not, to be cancelled.
SHIPPED, UNSHIPPED = "302-4481516-2342108", "303-7719024-5588321"

ADDRESS = "http://127.0.0.1:28070"


class AmazonSampleRequest(models.TransientModel):
    """The dialog that connects a sample account at the simulator."""

    _name = "amazon.sample.request"
    _description = "Connect the Simulator"

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    simulator_url = fields.Char("Simulator URL", required=True, default=ADDRESS)

    # === ACTION METHODS === #

    def action_connect(self):
        """Connect a sample account, with documents about orders of the simulator's
        shop, and show it.

        :raise AccessError: when the user does not administer accounts
        :raise UserError: when no simulator answers there, or it is connected already
        """
        self.ensure_one()
        self.check_access("write")
        if not self.env.user.has_group(ADMIN):
            raise AccessError(self.env._("Only Amazon administrators may do that."))
        self._refuse_twice()
        account = self._connect(self._ask_simulator())
        # sudo: who connects a seller need not be one who sells
        self.sudo()._make_documents(account)
        return {
            "type": "ir.actions.act_window",
            "res_model": account._name,
            "res_id": account.id,
            "view_mode": "form",
            "views": [(False, "form")],
        }

    # === BUSINESS METHODS === #

    def _refuse_twice(self):
        accounts_sudo = self.env["amazon.seller.account"].sudo()
        known = accounts_sudo.with_context(active_test=False).search(
            [
                ("seller_id", "=", SELLER_ID),
                ("region", "=", REGION),
                ("environment", "=", "simulator"),
            ]
        )
        if known:
            raise UserError(
                self.env._("The simulator is connected already, as %s.", known.name)
            )

    def _ask_simulator(self):
        """Return the marketplaces that the simulator's shop sells in.

        :raise UserError: when no simulator answers there
        """
        try:
            endpoint = Endpoint.simulator(self.simulator_url)
            credentials = Credentials(CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN)
            with SellerClient(credentials, endpoint, read_timeout=5) as client:
                answer = client.get_marketplace_participations()
        except (SpApiError, ValueError):
            raise UserError(
                self.env._(
                    "No simulator answers at %s. Start it in the checkout of the "
                    "addons with make simulator, on a host that Odoo reaches.",
                    self.simulator_url,
                )
            ) from None
        return self.env["amazon.seller.account"]._prepare_participations(answer)

    def _connect(self, marketplaces):
        return self.env["amazon.seller.account"].create(
            {
                "name": self.env._("Sample: Nordlicht Wohnen"),
                "is_sample": True,
                "company_id": self.company_id.id,
                "seller_id": SELLER_ID,
                "region": REGION,
                "environment": "simulator",
                "simulator_url": self.simulator_url,
                "lwa_client_id": CLIENT_ID,
                "lwa_client_secret": CLIENT_SECRET,
                "lwa_refresh_token": REFRESH_TOKEN,
                "participation_ids": [Command.create(row) for row in marketplaces],
            }
        )

    def _make_documents(self, account):
        """Hook: make documents about orders of the simulator's shop.

        :param amazon.seller.account account: the sample
        """
        company = {"company_id": account.company_id.id}
        values = {"name": self.env._("Sample Buyer"), **company}
        buyer = self._keep(account, self.env["res.partner"].create(values))
        values = {"name": self.env._("Sample Item"), "type": "service", **company}
        product = self._keep(account, self.env["product.product"].create(values))
        for ref in (SHIPPED, UNSHIPPED):
            self._record_order(account, ref)
            values = {
                "partner_id": buyer.id,
                "amazon_order_ref": ref,
                "order_line": [Command.create({"product_id": product.id})],
                **company,
            }
            self._keep(account, self.env["sale.order"].create(values))

    def _record_order(self, account, ref):
        """Record an order as one of the sample, before a document names it: another
        account of the company would be asked for it."""
        orders = self.env["amazon.order"]
        values = {"amazon_order_ref": ref, "company_id": account.company_id.id}
        if not orders.search([(name, "=", value) for name, value in values.items()]):
            values["account_id"] = account.id
            order = orders.create({**values, **orders._prepare_by_ref(ref)})
            order._request_first_read()

    def _keep(self, account, document):
        """Note that a document was made with a sample, so that it goes with it.

        :return: the document
        """
        documents = document
        if document._name == "product.product":
            documents = [document.product_tmpl_id, document]
        self.env["ir.model.data"].sudo().create(
            [
                {
                    "module": SAMPLE,
                    "name": f"account_{account.id}_{each._table}_{each.id}",
                    "model": each._name,
                    "res_id": each.id,
                    "noupdate": True,
                }
                for each in documents
            ]
        )
        return document
