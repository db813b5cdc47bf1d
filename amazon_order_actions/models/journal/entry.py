from odoo import api, fields, models
from odoo.tools import float_repr

from ...verify_journal import FIELDS, TIME, VERSION, entry_digest


class AmazonAuditEntry(models.Model):
    """The journal: one row for each event, appended and never touched again.

    The addon appends with :meth:`_append`, in the transaction of the change it tells
    of. An entry can never be removed: it holds nothing that a buyer wrote, and of what
    agents type only the seller's order number, the carrier and the tracking number.
    """

    _name = "amazon.audit.entry"
    _inherit = [
        "amazon.audit.rows",
        "amazon.audit.append_only",
        "amazon.plain.export",
    ]
    _description = "Amazon Journal Entry"
    _order = "id desc"
    _rec_name = "action_name"
    _log_access = False

    version = fields.Integer(
        readonly=True, aggregator=None, help="Of the form that the digest is made of."
    )
    occurred_at = fields.Datetime("When", required=True, readonly=True)
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="restrict"
    )
    user_id = fields.Many2one(
        "res.users",
        string="Actor",
        required=True,
        readonly=True,
        ondelete="restrict",
        help="Who did it. What Amazon's answers brought about was done by OdooBot.",
    )
    # As they were then: records are renamed, the digest covers what was meant.
    actor_login = fields.Char(readonly=True)
    actor_name = fields.Char("Actor's Name", readonly=True)
    event = fields.Selection(
        [
            ("asked", "Asked for"),
            ("state", "State changed"),
            ("recorded", "Recorded by a person"),
            ("handed", "Handed to a person"),
            ("again", "Tried again"),
            ("decided", "Decided by a person"),
            ("account", "Account changed"),
            ("company", "Company changed"),
            ("alarm", "Alarm"),
            ("authority", "Authority changed"),
            ("stop", "Stopped or resumed"),
            ("journal", "Journal exported or checked"),
            ("evidence", "Evidence pack made"),
            ("erased", "Data removed"),
            ("drop", "Asked Amazon to drop it"),
            ("template", "Reply template changed"),
            ("replied", "Buyer was written to"),
        ],
        required=True,
        readonly=True,
    )
    account_id = fields.Many2one(
        "amazon.seller.account", readonly=True, ondelete="restrict", index=True
    )
    seller_ref = fields.Char("Seller ID", readonly=True)
    amazon_order_ref = fields.Char("Amazon Order", readonly=True)
    action_id = fields.Many2one(
        "amazon.action", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    action_name = fields.Char("Action's Reference", readonly=True)
    action_kind = fields.Char("Kind", readonly=True)
    # The origin as plain values: a reference would have to change with the record.
    origin_model = fields.Char(readonly=True)
    origin_id = fields.Many2oneReference(
        "Origin Record", model_field="origin_model", readonly=True
    )
    origin_name = fields.Char("Origin", readonly=True)
    state_from = fields.Char("From", readonly=True)
    state_to = fields.Char("To", readonly=True)
    value_before = fields.Text("Before", readonly=True)
    value_after = fields.Text("After", readonly=True)
    amount = fields.Monetary(readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True, ondelete="restrict")
    currency_name = fields.Char("Currency's Code", readonly=True)
    message = fields.Text(readonly=True)
    feed_ref = fields.Char("Amazon Feed", readonly=True)
    request_ref = fields.Char(
        "Amazon Request",
        readonly=True,
        help="Amazon's id of the request (x-amzn-RequestId).",
    )
    payload_digest = fields.Char(
        "Payload SHA-256", readonly=True, help="Digest of what was sent to Amazon."
    )
    answer_digest = fields.Char(
        "Answer SHA-256",
        readonly=True,
        help="Digest of the processing report that Amazon answered with.",
    )

    digest = fields.Char(
        "SHA-256",
        readonly=True,
        help="Digest of this entry's content, made when it was written.",
    )
    link_ids = fields.One2many("amazon.audit.link", "entry_id", readonly=True)
    number = fields.Integer(
        compute="_compute_link",
        search="_search_number",
        aggregator=None,
        help="Place in the chain of the company's journal; 0 where it is not sealed "
        "yet, which takes a minute.",
    )
    previous_hash = fields.Char(compute="_compute_link")
    hash = fields.Char(
        compute="_compute_link",
        help="Binds this entry and all that were sealed before it.",
    )
    sealed_at = fields.Datetime(compute="_compute_link")

    # The lists that people open: by order and by agent, latest first; by period, and
    # what a document led to.
    _order_idx = models.Index("(amazon_order_ref, id DESC)")
    _user_idx = models.Index("(user_id, id DESC)")
    _period_idx = models.Index("(company_id, occurred_at)")
    _origin_idx = models.Index("(origin_id, origin_model) WHERE origin_id > 0")

    # === COMPUTE METHODS === #

    @api.depends("event", "action_name", "amazon_order_ref")
    @api.depends_context("lang")
    def _compute_display_name(self):
        labels = dict(self._fields["event"]._description_selection(self.env))
        for entry in self:
            about = entry.action_name or entry.amazon_order_ref
            name = labels.get(entry.event, "")
            entry.display_name = f"{name}: {about}" if about else name

    @api.depends("link_ids")
    def _compute_link(self):
        for entry in self:
            link = entry.link_ids
            entry.number = link.number
            entry.previous_hash = link.previous_hash
            entry.hash = link.hash
            entry.sealed_at = link.sealed_at

    def _search_number(self, operator, value):
        links = self.env["amazon.audit.link"]._search([("number", operator, value)])
        return [("id", "in", links.subselect("entry_id"))]

    # === BUSINESS METHODS === #

    @api.model
    def _append(self, vals_list):
        """Append entries, each with its own digest, in the current transaction.

        What a reader needs of the records is kept as text, as it is at this moment.
        They are sealed into the chain later (journal/link.py), so that nobody
        waits for anybody here.

        :param list[dict] vals_list: values of the entries; actor and time are added
        :return: the entries
        :rtype: amazon.audit.entry
        """
        now = fields.Datetime.now()
        rows = [vals for vals in vals_list if not self._is_of_sample(vals)]
        return self._insert([self._completed(vals, now) for vals in rows])

    def _is_of_sample(self, vals):
        """Whether an entry would be about a sample account, of which nothing is
        journaled: it calls nothing but the simulator, and can be removed."""
        env = self.sudo().env
        action = env["amazon.action"].browse(vals.get("action_id") or [])
        account = env["amazon.seller.account"].browse(vals.get("account_id") or [])
        return any((account | action.account_id).mapped("is_sample"))

    def _completed(self, vals, now):
        """Return values for every field, with the digest.

        :raise ValueError: when there is no such event or field
        """
        env = self.sudo().env
        user = env["res.users"].browse(vals.get("user_id") or env.uid)
        currency = env["res.currency"].browse(vals.get("currency_id") or [])
        account = env["amazon.seller.account"].browse(vals.get("account_id") or [])
        action = env["amazon.action"].browse(vals.get("action_id") or [])
        unknown = set(vals) - {*FIELDS, "currency_id"}
        if unknown or vals["event"] not in self._fields["event"].get_values(env):
            raise ValueError(f"No entry of the journal: {vals['event']}, {unknown}")
        row = self._canonical(
            {
                "occurred_at": now,
                "user_id": user.id,
                **vals,
                "version": VERSION,
                "actor_login": user.login,
                "actor_name": user.name,
                "seller_ref": account.seller_id or vals.get("seller_ref"),
                "action_name": action.name,
                "currency_name": currency.name,
            },
            currency,
        )
        return {**row, "currency_id": currency.id, "digest": entry_digest(row)}

    def _canonical(self, vals, currency):
        """Return values in the canonical form of verify_journal.py, which PostgreSQL
        takes, too, and shows again (see ``_select_rows``)."""
        row = {}
        for name in FIELDS:
            value = vals.get(name)
            if name == "amount":
                value = currency and float_repr(
                    currency.round(value or 0.0), currency.decimal_places
                )
            elif name == "occurred_at":
                value = value.strftime(TIME)
            elif value and self._fields[name].type in ("char", "text", "selection"):
                value = str(value)
            row[name] = value or None
        return row
