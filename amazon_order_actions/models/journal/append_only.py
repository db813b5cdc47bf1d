from odoo import api, models
from odoo.exceptions import AccessError
from odoo.tools import SQL


class AmazonAuditAppendOnly(models.AbstractModel):
    """Rows that are appended and never touched again.

    No ACL grants create, write or delete, the ORM refuses them to everybody (the
    superuser too), and PostgreSQL triggers refuse UPDATE, DELETE and TRUNCATE, also in
    a session that has ordinary triggers switched off (``session_replication_role``).
    Who owns the table can still drop a trigger: docs/journal.md says how to take that
    away from the application's role, too.
    """

    _name = "amazon.audit.append_only"
    _description = "Amazon Append-only Rows"
    _log_access = False

    def init(self):
        """Let PostgreSQL itself refuse to change or remove a row.

        Does nothing where that is so: the table may belong to another role.
        """
        if not self._auto or self._abstract or self._is_guarded():
            return
        table = SQL.identifier(self._table)
        self.env.cr.execute(
            SQL(
                """
                CREATE OR REPLACE FUNCTION amazon_audit_refuse() RETURNS trigger AS $$
                BEGIN
                    RAISE EXCEPTION
                        'The Amazon journal is append-only: %% of %% refused.',
                        TG_OP, TG_TABLE_NAME
                        USING ERRCODE = 'insufficient_privilege';
                END $$ LANGUAGE plpgsql;
                CREATE OR REPLACE TRIGGER amazon_append_only
                    BEFORE UPDATE OR DELETE ON %(table)s
                    FOR EACH ROW EXECUTE FUNCTION amazon_audit_refuse();
                CREATE OR REPLACE TRIGGER amazon_no_truncate
                    BEFORE TRUNCATE ON %(table)s
                    FOR EACH STATEMENT EXECUTE FUNCTION amazon_audit_refuse();
                ALTER TABLE %(table)s ENABLE ALWAYS TRIGGER amazon_append_only;
                ALTER TABLE %(table)s ENABLE ALWAYS TRIGGER amazon_no_truncate;
                """,
                table=table,
            )
        )

    def _is_guarded(self):
        """Whether both triggers are there, and fire in every kind of session."""
        self.env.cr.execute(
            "SELECT count(*) FROM pg_trigger WHERE tgrelid = %s::regclass"
            " AND tgname IN ('amazon_append_only', 'amazon_no_truncate')"
            " AND tgenabled = 'A'",
            [self._table],
        )
        return self.env.cr.fetchone()[0] == 2

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
    def _insert(self, vals_list):
        """Append rows, in the current transaction, with one INSERT.

        Past the ORM: it would take ten times as long, and a query more for the currency
        of an amount; and it would fill what is left out from the context
        (``default_…``), which a caller of RPC chooses.

        :param list[dict] vals_list: values of the rows as PostgreSQL takes them, all
            with the same names; False is NULL
        :return: the rows, in sudo mode
        """
        if not vals_list:
            return self.sudo()
        names = list(vals_list[0])
        rows = [
            tuple(None if vals[name] is False else vals[name] for name in names)
            for vals in vals_list
        ]
        self.env.cr.execute(
            SQL(
                "INSERT INTO %(table)s (%(names)s) VALUES %(rows)s RETURNING id",
                table=SQL.identifier(self._table),
                names=SQL(", ").join(map(SQL.identifier, names)),
                rows=SQL(", ").join(SQL("%s", row) for row in rows),
            )
        )
        return self.sudo().browse(row_id for (row_id,) in self.env.cr.fetchall())
