import uuid

from odoo import api, fields, models

from ...models.action.reservation import ActionRequest


class AmazonActionRequest(models.AbstractModel):
    """What the dialogs share: the order, where they were opened, what they say.

    A dialog only collects: what it hands over is a plain value, which is checked when
    the order is taken.
    """

    _name = "amazon.action.request"
    _inherit = "amazon.typed.numbers"
    _description = "Request of an Amazon Action"

    # The kind of action that the dialog asks for
    _kind = None

    order_id = fields.Many2one("amazon.order", required=True, readonly=True)
    amazon_order_ref = fields.Char(
        related="order_id.amazon_order_ref", related_sudo=False
    )
    currency_id = fields.Many2one(related="order_id.currency_id", related_sudo=False)
    channel = fields.Selection(related="order_id.channel", related_sudo=False)
    fulfillment_status = fields.Selection(
        related="order_id.fulfillment_status", related_sudo=False
    )
    origin_model = fields.Char(readonly=True)
    origin_id = fields.Many2oneReference(model_field="origin_model", readonly=True)
    # The server alone says what one dialog is.
    nonce = fields.Char(required=True, readonly=True)
    note = fields.Text()
    blockers = fields.Text(compute="_compute_sentences")
    warnings = fields.Text(compute="_compute_sentences")
    is_assisted = fields.Boolean(compute="_compute_is_assisted")
    seller_central_url = fields.Char(
        related="order_id.seller_central_url", related_sudo=False
    )

    @api.depends("order_id", "origin_model", "origin_id")
    def _compute_sentences(self):
        for request in self:
            handler = request._handler()
            order = request.order_id
            blockers = handler._blockers(order)
            refusal, approval = request._forecast(request._counted())
            request.blockers = "\n".join(filter(None, [*blockers, refusal]))
            # Who cannot act needs no warning of what the act would bring.
            warnings = [] if request.blockers else handler._warnings(order)
            request.warnings = "\n".join(filter(None, [*warnings, approval]))

    def _counted(self):
        """Hook: what counts against limits, as far as it is known without what is
        filled in; in the order's currency."""
        return 0.0

    def _forecast(self, amount):
        """Return what the matrix will say, before anybody has filled in the rest.

        :param float amount: what counts against limits, in the order's currency
        :return: a sentence that refuses it, and one that says why it will wait
        """
        origin = self._asked_from()
        if not origin:
            return False, False
        return self.env["amazon.action"]._foresee_gate(
            self._handler(), self.order_id, origin, amount
        )

    def _near_limit(self, amount):
        """Return the sentence that says which limit is near, or False.

        :param float amount: what counts against limits, in the order's currency
        """
        origin = self._asked_from()
        return bool(origin) and self.env["amazon.action"]._foresee_limit(
            self._handler(), self.order_id, origin, amount
        )

    @api.depends("order_id")
    def _compute_is_assisted(self):
        for request in self:
            request.is_assisted = request._handler()._is_assisted(request.order_id)

    # === CONSTRAINT METHODS === #

    @api.constrains("order_id", "origin_model", "origin_id")
    def _check_readable(self):
        """Refuse documents that the user may not read: the related fields show them.

        Odoo checks constraints in sudo mode; this one is about the user.
        """
        for request in self.sudo(False):
            for document in filter(None, (request.order_id, request._asked_from())):
                # of none, it would ask for the right to the model
                document.check_access("read")

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override to make the nonce here, whatever a client says."""
        return super().create(
            [{**vals, "nonce": uuid.uuid4().hex} for vals in vals_list]
        )

    def write(self, vals):
        """Override to keep the nonce."""
        return super().write({k: v for k, v in vals.items() if k != "nonce"})

    # === BUSINESS METHODS === #

    @api.model
    def _open(self, order, origin):
        """Return the action that opens a new dialog.

        :param amazon.order order: the order to act on
        :param origin: the document that it is opened from
        """
        request = self.create(
            {
                "order_id": order.id,
                "origin_model": origin._name,
                "origin_id": origin.id,
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": request._title(),
            "res_model": self._name,
            "res_id": request.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
        }

    def _asked_kind(self):
        """Hook: the kind of action that is asked for, as it is filled in."""
        return self._kind

    def _asked_reason(self):
        """Hook: the reason, as it is filled in."""
        return self.reason

    def _handler(self):
        """Return the model that knows the kind of action that is asked for."""
        return self.env[f"amazon.action.kind.{self._asked_kind()}"]

    def _title(self):
        """Hook: the title of the dialog."""
        raise NotImplementedError

    def _ask(self):
        """Ask for the action with what is filled in. All is checked once, when the
        order is taken.

        :rtype: amazon.action
        """
        return self.env["amazon.reservation"]._reserve(
            self.order_id,
            ActionRequest(
                self._asked_kind(),
                self._asked_from(),
                self.nonce,
                reason=self._handler()._needs_reason and self._asked_reason(),
                quantities=self._collect_quantities(),
                details=self._details(),
                plan=self._plan(),
                note=self.note,
            ),
        )

    def _asked_from(self):
        """Return the document that the dialog was opened from.

        Checked here as well: a dialog that is not saved meets no constraint, and may
        have one half of the name from its client and the other one from a default.
        """
        documents = self.env["amazon.document"]
        document = documents._document(self.origin_model, self.origin_id)
        if document and not self.id:
            document.sudo(False).check_access("read")
        return document

    def _details(self):
        """Hook: return what else the kind needs, from what was filled in.

        :rtype: dict | None
        """
        return None

    def _plan(self):
        """Hook: return what the kind alone knows to read, from what was filled in.

        :rtype: tuple | None
        """
        return None

    def _collect_quantities(self):
        """Hook: return the units of each item, from what was filled in.

        :rtype: dict
        """
        return {}
