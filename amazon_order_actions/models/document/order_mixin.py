from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from ..base.fetching import columns_held, fetch_along
from ..order.order import ORDER_REF

# Who sees the Amazon order: the people who work with sale orders; who works with other
# documents is for their addons to say.
READERS = "sales_team.group_sale_salesman"

# What names an Amazon order, the one that counts first.
REF_FIELDS = ("amazon_order_ref", "amazon_fulfillment_ref")

# Characters of a sellerFulfillmentOrderId (maxLength in the model
# fulfillmentOutbound_2020-07-01, CreateFulfillmentOrderRequest).
FULFILLMENT_REF_LIMIT = 40


class AmazonOrderMixin(models.AbstractModel):
    """A document that belongs to an Amazon order, such as a sale order.

    Each has the same number field, the same panel and the same buttons.
    """

    _name = "amazon.order.mixin"
    _inherit = [
        "amazon.document",
        "amazon.stays.in.company",
        "amazon.file.document",
    ]
    _description = "Document of an Amazon Order"
    _check_company_auto = True

    # Name and type as in the Enterprise addon sale_amazon, so that both can be there.
    amazon_order_ref = fields.Char(
        "Amazon Order Reference",
        index="btree_not_null",
        copy=False,
        help="Amazon's number of the order, such as 303-1234567-1234567.",
    )
    amazon_fulfillment_ref = fields.Char(
        "Fulfillment Order",
        index="btree_not_null",
        copy=False,
        help="The id that the seller gave to an order from elsewhere which Amazon "
        "ships (Multi-Channel Fulfillment).",
    )
    amazon_order_id = fields.Many2one(
        "amazon.order",
        readonly=True,
        copy=False,
        index="btree_not_null",
        check_company=True,
        groups=READERS,
    )
    amazon_order_panel = fields.Json(
        compute="_compute_amazon_order_panel", groups=READERS
    )

    amazon_action_ids = fields.One2many(
        "amazon.action",
        "origin_id",
        domain=lambda self: [("origin_model", "=", self._name)],
        readonly=True,
        groups=READERS,
    )

    # === COMPUTE METHODS === #

    @api.depends("amazon_order_ref", "amazon_fulfillment_ref", "amazon_order_id")
    @api.depends_context("lang", "uid", "tz")
    def _compute_amazon_order_panel(self):
        self._origin._fetch_for_panel()
        panel = self.env["amazon.order.panel"].sudo(False)
        for record in self:
            # of what is saved: nothing is looked up while a form is being filled in
            saved = record._origin
            order_sudo = saved._get_amazon_order()
            record.amazon_order_panel = {
                "notice": saved._amazon_notice(),
                "stranger": saved._amazon_stranger() if order_sudo else False,
                "order": panel._of(order_sudo.sudo(False)) if order_sudo else False,
            }

    # === CONSTRAINT METHODS === #

    @api.constrains("amazon_order_ref")
    def _check_amazon_order_ref(self):
        for record in self:
            ref = record.amazon_order_ref
            if ref and not ORDER_REF.fullmatch(ref):
                raise ValidationError(
                    self.env._(
                        "%(ref)s is not an Amazon order number. It has 3, 7 and 7 "
                        "digits, such as 303-1234567-1234567. Correct it on "
                        "%(record)s or leave it empty.",
                        ref=ref,
                        record=record.display_name,
                    )
                )

    @api.constrains("amazon_fulfillment_ref")
    def _check_amazon_fulfillment_ref(self):
        for record in self:
            ref = record.amazon_fulfillment_ref
            if ref and ORDER_REF.fullmatch(ref.upper()):
                raise ValidationError(
                    self.env._(
                        "%(ref)s is a number of Amazon's. On %(record)s, enter it as "
                        "Amazon Order; the fulfillment order id is the seller's own.",
                        ref=ref,
                        record=record.display_name,
                    )
                )
            if ref and len(ref) > FULFILLMENT_REF_LIMIT:
                raise ValidationError(
                    self.env._(
                        "%(ref)s is not a fulfillment order id: it has at most "
                        "%(limit)s characters. Correct it on %(record)s or leave it "
                        "empty.",
                        ref=ref,
                        limit=FULFILLMENT_REF_LIMIT,
                        record=record.display_name,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override to find the Amazon order that a number names."""
        vals_list = [self._clean_amazon_ref(vals) for vals in vals_list]
        if not self.env.su:
            # nor does a default value in the context say which order it is
            vals_list = [{**vals, "amazon_order_id": False} for vals in vals_list]
        records = super().create(vals_list)
        records.filtered(
            lambda record: record._amazon_ref() or record.sudo().amazon_order_id
        )._link_amazon_order()
        return records

    def write(self, vals):
        """Override to find the Amazon order that a new number names."""
        vals = self._clean_amazon_ref(vals)
        result = super().write(vals)
        if {*REF_FIELDS, "company_id"} & set(vals):
            self._link_amazon_order()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_asked(self):
        """Keep what an action was asked from: it is part of the evidence.

        Whoever asks takes the order, and so does this: no key in the database holds the
        document, so of two who ask and delete at once the later one is run again.
        """
        for order_sudo in self.sudo().amazon_order_id.sorted("id"):
            order_sudo._take()
        for record in self:
            if record.sudo().amazon_action_ids:
                raise UserError(
                    self.env._(
                        "%s cannot be deleted: something was asked of Amazon from it. "
                        "Archive or cancel it instead.",
                        record.display_name,
                    )
                )

    def _clean_amazon_ref(self, vals):
        """Accept a number with blanks around it, and Amazon's in small letters. The
        number alone says which order it is, whatever a client writes."""
        cleaned = {name: vals[name].strip() for name in REF_FIELDS if vals.get(name)}
        if "amazon_order_ref" in cleaned:
            cleaned["amazon_order_ref"] = cleaned["amazon_order_ref"].upper()
        vals = {**vals, **cleaned}
        if not self.env.su:
            vals.pop("amazon_order_id", None)
        return vals

    # === ACTION METHODS === #

    def action_amazon_refund(self):
        """Open the dialog that asks for a refund at Amazon. Sends nothing."""
        return self._open_amazon_request("refund")

    def action_amazon_cancel(self):
        """Open the dialog that asks Amazon to cancel the order. Sends nothing."""
        self.ensure_one()
        is_mcf = self._get_amazon_order().is_fulfillment_order
        return self._open_amazon_request("mcf_cancel" if is_mcf else "cancel")

    def action_amazon_edit(self):
        """Open the dialog that shows what can be edited now. Sends nothing."""
        self.ensure_one()
        self.check_access("read")
        order = self._get_amazon_order()._require_one()
        return self.env["amazon.edit.request"]._open(order, self)

    def action_amazon_ship(self):
        """Open the dialog that asks to confirm a shipment. Sends nothing."""
        return self._open_amazon_request("ship")

    def action_amazon_order_number(self):
        """Open the dialog for the seller's own number of the order. Sends nothing."""
        return self._open_amazon_request("order_number")

    def action_amazon_fulfillment(self):
        """Open the dialog that asks Amazon to change a fulfillment order. Sends
        nothing."""
        return self._open_amazon_request("mcf_update")

    def action_amazon_reply(self):
        """Open the dialog that writes to the buyer. Sends nothing."""
        return self._open_amazon_request("message")

    def _open_amazon_request(self, kind):
        """Open the dialog of a kind of action.

        :param str kind: the kind that it asks for
        """
        self.ensure_one()
        self.check_access("read")
        handler = self.env[f"amazon.action.kind.{kind}"]
        handler._check_right()
        order = self._get_amazon_order()._require_one()
        return self.env[handler._dialog_model()]._open(order, self)

    # === COMPANY === #

    def _is_of_amazon(self, vals):
        """Override: a document without a number is nothing of Amazon's."""
        return bool(
            self._amazon_ref()
            or any(vals.get(name) for name in REF_FIELDS)
            or self._has_amazon_history()
        )

    def _held_from(self, company):
        """Override: an order is one of its company, and so is what was done on it."""
        if self._has_amazon_history(company):
            return self.env._(
                "%(document)s cannot move to another company: what was asked of Amazon "
                "from it, sent to its buyer or proven with it stays where it is. Open "
                "a new one in the other company.",
                document=self.display_name,
            )
        return bool(self.amazon_order_id) and self.env._(
            "%(document)s cannot move to another company: it is about the Amazon order "
            "%(order)s of %(company)s. Take the number out and save; then move it, and "
            "type the number in again there.",
            document=self.display_name,
            order=self.amazon_order_id.amazon_order_ref,
            company=self.company_id.name,
        )

    def _has_amazon_history(self, beside=None):
        """Whether something was asked from here, sent to the buyer or proven: the
        journal has all of it, and keeps it.

        :param res.company beside: what was done in this company does not matter
        """
        entries_sudo = self.env["amazon.audit.entry"].sudo()
        return bool(
            entries_sudo.search_count(
                [
                    ("origin_id", "=", self.id),
                    ("origin_model", "=", self._name),
                    ("event", "!=", "company"),
                    ("company_id", "not in", beside.ids if beside else []),
                ],
                limit=1,
            )
        )

    # === BUSINESS METHODS - WHO READS IT === #

    def _document_number(self):
        """Return what names it to who may not read it: its number, never a title, which
        a buyer wrote."""
        return self[self._rec_name]

    def _name_by_number(self):
        """Give those their number for a name that the real user may not read.

        Odoo works out the name of what a many2one points to in sudo mode. OdooBot reads
        all.

        :return: those that were named
        """
        unreadable = self.browse()
        if self.env.su and self.env.uid != SUPERUSER_ID:
            saved = self.filtered("id")
            unreadable = saved - saved.sudo(False)._filtered_access("read").sudo()
        for document in unreadable:
            document.display_name = document._document_number()
        return unreadable

    def _is_readable_by(self, user):
        """Whether a user may read it, working in its company.

        :param res.users user: somebody else, as a rule
        :rtype: bool
        """
        company = self.sudo().company_id
        if company not in user.sudo().company_ids:
            return False
        document = self.with_user(user).with_context(allowed_company_ids=company.ids)
        return document.has_access("read")

    # === BUSINESS METHODS === #

    @api.model
    def _is_case(self):
        """Hook: whether documents of this model are cases that a buyer opens."""
        return False

    def _read_for_panel(self):
        """Hook: return the names of what the panel needs of a document that its form
        has not read.

        :rtype: tuple
        """
        return ("amazon_order_id",)

    def _fetch_for_panel(self):
        """Read it together with the Amazon orders."""
        if self:
            held = columns_held(self.env["amazon.order"].sudo())
            wanted = {"": self._read_for_panel(), "amazon_order_id": held}
            fetch_along(self.sudo(), wanted)

    @api.model
    def _select_of_buyer(self, partners, addresses):
        """Hook: select the documents of a buyer: the order that each is about, and the
        company.

        :param res.partner partners: contacts of the buyer
        :param addresses: what the buyer may have written from
        :rtype: SQL
        """
        return SQL(
            """
            SELECT amazon_order_id, company_id
              FROM %(table)s
             WHERE amazon_order_id IS NOT NULL AND partner_id = ANY(%(partners)s)
            """,
            table=SQL.identifier(self._table),
            partners=partners.ids,
        )

    def _read_to_ask(self):
        """Hook: return what is read of a document where somebody asks from it, see
        `base.fetching.fetch_along`; nothing: Odoo reads all of it.

        :rtype: dict
        """
        return {}

    def _fetch_to_ask(self):
        """Read what is needed to ask from here, in sudo mode. Who may read it is asked
        after that, and asks no more."""
        wanted = self._read_to_ask()
        if self and wanted:
            fetch_along(self.sudo(), wanted)

    def _amazon_ref(self):
        """Return what names the Amazon order: Amazon's number, or else the id of the
        fulfillment order."""
        return self.amazon_order_ref or self.amazon_fulfillment_ref

    def _get_amazon_order(self):
        """Return the Amazon order in sudo mode: whoever may read the document may see
        its order, as long as both are of one company."""
        record_sudo = self.sudo()
        order_sudo = record_sudo.amazon_order_id
        if order_sudo.company_id != record_sudo.company_id:
            return order_sudo.browse()
        return order_sudo

    def _link_amazon_order(self, marketplace=None):
        """Link the Amazon order that the number names; ask Amazon for a new one.

        :param str marketplace: id of the marketplace that it is probably from
        """
        for record in self:
            # sudo: agents may not create Amazon orders; only Amazon tells us of one
            record_sudo = record.sudo()
            order_sudo = self.env["amazon.order"].sudo()
            if record_sudo._amazon_ref():
                order_sudo = order_sudo._get_or_create(
                    record_sudo._amazon_ref(), record_sudo.company_id, marketplace
                )
            record_sudo.amazon_order_id = order_sudo

    def _amazon_notice(self):
        """Say in a sentence what keeps the Amazon order from being shown, or False."""
        record_sudo = self.sudo()
        if record_sudo._amazon_ref() and not record_sudo.amazon_order_id:
            return self.env._(
                "No Amazon account is connected in the company %s, so this order "
                "cannot be looked up. An administrator can connect one under Amazon > "
                "Seller Accounts.",
                record_sudo.company_id.name,
            )
        return False
