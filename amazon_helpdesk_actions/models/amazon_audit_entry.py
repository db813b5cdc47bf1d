from odoo import api, fields, models
from odoo.exceptions import AccessError


class AmazonAuditEntry(models.Model):
    """The journal: one row for each event, appended and never touched again.

    No ACL grants create, write or delete, the ORM refuses them to everybody (the
    superuser too), and a PostgreSQL trigger refuses UPDATE, DELETE and TRUNCATE. The
    addon appends with :meth:`_append`, in the transaction of the change it tells of.
    """

    _name = "amazon.audit.entry"
    _description = "Amazon Journal Entry"
    _order = "id desc"
    _rec_name = "event"
    _log_access = False

    occurred_at = fields.Datetime(required=True, readonly=True, index=True)
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="restrict", index=True
    )
    user_id = fields.Many2one(
        "res.users",
        string="Actor",
        required=True,
        readonly=True,
        ondelete="restrict",
        index=True,
        help="Who did it. What Amazon's answers brought about was done by OdooBot.",
    )
    event = fields.Selection(
        [
            ("asked", "Asked for"),
            ("state", "State changed"),
            ("recorded", "Recorded by a person"),
            ("handed", "Handed to a person"),
            ("decided", "Decided by a person"),
            ("account", "Account changed"),
            ("alarm", "Alarm"),
            ("authority", "Authority changed"),
            ("stop", "Stopped or resumed"),
            ("journal", "Journal exported or checked"),
            ("evidence", "Evidence pack made"),
            ("erased", "Data removed"),
        ],
        required=True,
        readonly=True,
    )
    account_id = fields.Many2one(
        "amazon.seller.account", readonly=True, ondelete="restrict", index=True
    )
    amazon_order_ref = fields.Char("Amazon Order", readonly=True, index=True)
    action_id = fields.Many2one(
        "amazon.action", readonly=True, ondelete="restrict", index=True
    )
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

    # The lists that people open: by order and by agent, latest first.
    _order_idx = models.Index("(amazon_order_ref, id DESC)")
    _user_idx = models.Index("(user_id, id DESC)")

    def init(self):
        """Let PostgreSQL itself refuse to change or remove a row."""
        self.env.cr.execute(
            """
            CREATE OR REPLACE FUNCTION amazon_audit_entry_refuse() RETURNS trigger AS $$
            BEGIN
                RAISE EXCEPTION 'The Amazon journal is append-only: % refused.', TG_OP
                    USING ERRCODE = 'insufficient_privilege';
            END $$ LANGUAGE plpgsql;
            DROP TRIGGER IF EXISTS amazon_audit_entry_append_only ON amazon_audit_entry;
            CREATE TRIGGER amazon_audit_entry_append_only
                BEFORE UPDATE OR DELETE ON amazon_audit_entry
                FOR EACH ROW EXECUTE FUNCTION amazon_audit_entry_refuse();
            DROP TRIGGER IF EXISTS amazon_audit_entry_no_truncate ON amazon_audit_entry;
            CREATE TRIGGER amazon_audit_entry_no_truncate
                BEFORE TRUNCATE ON amazon_audit_entry
                FOR EACH STATEMENT EXECUTE FUNCTION amazon_audit_entry_refuse();
            """
        )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):  # pylint: disable=unknown-option-value,method-required-super
        """Refuse: the journal is written by the addon alone."""
        raise AccessError(
            self.env._("Entries of the Amazon journal cannot be created by hand.")
        )

    def write(self, vals):  # pylint: disable=unknown-option-value,method-required-super
        """Refuse: what was journaled stays as it is."""
        raise AccessError(
            self.env._("Entries of the Amazon journal cannot be changed.")
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise AccessError(
            self.env._("Entries of the Amazon journal cannot be deleted.")
        )

    # === BUSINESS METHODS === #

    @api.model
    def _append(self, vals_list):
        """Append entries, in the current transaction.

        :param list[dict] vals_list: values of the entries; actor and time are added
        :return: the entries
        :rtype: amazon.audit.entry
        """
        now = fields.Datetime.now()
        stamped = [
            {"occurred_at": now, "user_id": self.env.uid, **vals} for vals in vals_list
        ]
        # sudo: nobody has the right to create an entry, by design
        return super(AmazonAuditEntry, self.sudo()).create(stamped)
