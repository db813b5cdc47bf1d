from collections import defaultdict

from psycopg2 import IntegrityError

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ..base.groups import ADMIN
from ..base.private_log import private_logger
from ..watch.queue_job import ARGUMENTS, RECORD_IDS

_logger = private_logger(__name__)

# What makes an account a sample, and keeps it from ever calling Amazon.
FIXED = {"seller_id", "region", "environment", "company_id"}

# Documents that were made with a sample are known by external ids of this module.
SAMPLE = "__amazon_sample__"

# What Odoo keeps of records by their model and id, without a foreign key.
KEPT_BY_MODEL = {
    "mail.message": ("model", "res_id"),
    "mail.activity": ("res_model", "res_id"),
    "mail.followers": ("res_model", "res_id"),
    "ir.attachment": ("res_model", "res_id"),
}


# Jobs without a record: the first argument is the id of an account.
ACCOUNT_JOBS = (
    "_job_dispatch",
    "_job_verify_lane",
    "_job_read_ranges",
    "_job_read_mailed",
    "_job_tell_tripped",
    "_job_verify_restored",
)


class AmazonSellerSample(models.AbstractModel):
    """Samples: accounts at the simulator, to try this out in a company's own Odoo.

    Nothing real happens there, so nothing of it is journaled, and it has no part in the
    life of the database: a sample can be removed with all that came of it
    (``amazon.sample.request``). PostgreSQL itself keeps it at the simulator.
    """

    _name = "amazon.seller.sample"
    _description = "Amazon Sample of a Seller Account"

    is_sample = fields.Boolean(
        "Sample",
        readonly=True,
        copy=False,
        help="Connected to the simulator to try things out. It never calls Amazon, "
        "is not journaled, and can be removed.",
    )

    # === CRUD METHODS === #

    def write(self, vals):
        """Override: a sample stays one, and no other account becomes one.

        :raise UserError: where it would be another authorisation
        """
        if "is_sample" in vals or (FIXED & set(vals) and any(self.mapped("is_sample"))):
            raise UserError(
                self.env._(
                    "A sample account stays at the simulator. Remove it, and connect "
                    "your own account beside it."
                )
            )
        return super().write(vals)

    # === ACTION METHODS === #

    def action_remove_sample(self):
        """Remove a sample account with all that came of it, and the documents that were
        made with it.

        :raise AccessError: when the user does not administer accounts
        :raise UserError: when it is no sample, or a job works on it at this moment
        """
        self.ensure_one()
        self.check_access("write")
        if not self.env.user.has_group(ADMIN):
            raise AccessError(self.env._("Only Amazon administrators may do that."))
        if not self.is_sample:
            raise UserError(
                self.env._(
                    "%s is no sample: archive it instead. What was done with it stays "
                    "on record.",
                    self.name,
                )
            )
        self.sudo()._remove_sample()
        return self.env["ir.actions.act_window"]._for_xml_id(
            "amazon_order_actions.amazon_seller_account_action"
        )

    # === BUSINESS METHODS === #

    @api.model
    def _remove_samples(self):
        """Remove all samples; for uninstalling."""
        samples = self.sudo().with_context(active_test=False)
        for account in samples.search([("is_sample", "=", True)]):
            account._remove_sample()

    def _remove_sample(self):
        """Remove all rows that hang on the account, in an order that no foreign key
        refuses. The journal has none of them.

        :raise UserError: when a job works on it at this moment
        """
        self.env.flush_all()
        found = _rows_below(self.env, "amazon_seller_account", self.ids)
        models_by_table = {
            model._table: model._name
            for model in self.env.registry.values()
            if model._auto and not model._abstract
        }
        records = {
            models_by_table[table]: ids
            for table, ids in found.items()
            if table in models_by_table
        }
        self._remove_jobs(records)
        self._remove_documents()
        for model, (by_model, by_id) in KEPT_BY_MODEL.items():
            for name, ids in records.items():
                self._beside(model, [(by_model, "=", name), (by_id, "in", ids)])
        self.env.flush_all()
        _delete_rows(self.env, found)
        self.env.invalidate_all()
        # Feeds name their files
        for name, ids in records.items():
            self._remove_files(name, ids)
        self.env.registry.clear_cache()
        _logger.info("The sample account %s was removed", self.ids)

    @api.model
    def _beside(self, model, domain):
        records = self.env[model].with_context(active_test=False, _force_unlink=True)
        records.search(domain).unlink()

    @api.model
    def _remove_files(self, model, ids):
        files = self.env["amazon.file"]
        domain = [("res_model", "=", model), ("res_id", "in", list(ids))]
        files.search(domain)._remove()

    def _remove_jobs(self, records):
        """Remove the jobs of the records, and those of the account itself, which name
        it by their first argument.

        :param dict records: ids by the names of models
        :raise UserError: when one of them works at this moment
        """
        found = self._find_jobs(
            SQL(
                "method_name IN %s AND %s ->> 0 = %s",
                ACCOUNT_JOBS,
                ARGUMENTS,
                str(self.id),
            )
        )
        for name, ids in records.items():
            found += self._find_jobs(
                SQL(
                    "model_name = %s AND %s && %s",
                    name,
                    SQL(
                        "ARRAY(SELECT jsonb_array_elements_text(%s)::integer)",
                        RECORD_IDS,
                    ),
                    list(ids),
                )
            )
        jobs = self.env["queue.job"].browse(found)
        if "started" in jobs.mapped("state"):
            raise UserError(
                self.env._(
                    "A job works on this account at this moment. Try again in a minute."
                )
            )
        jobs.unlink()

    @api.model
    def _find_jobs(self, condition):
        query = SQL("SELECT id FROM queue_job WHERE %s", condition)
        return [job_id for (job_id,) in self.env.execute_query(query)]

    def _remove_documents(self):
        """Remove what was made with the sample, the last first. A document that is in
        use elsewhere by now stays, and is archived where it can be."""
        data = self.env["ir.model.data"].search(
            [("module", "=", SAMPLE), ("name", "=like", f"account_{self.id}_%")],
            order="id desc",
        )
        # With a record Odoo deletes its external id
        for model, res_id in [(row.model, row.res_id) for row in data]:
            if model not in self.env:
                continue
            document = self.env[model].browse(res_id).exists()
            document = document.with_context(_force_unlink=True)
            if document:
                self._remove_files(model, [res_id])
                self._remove_document(document)
        data.exists().unlink()

    def _remove_document(self, document):
        try:
            with self.env.cr.savepoint():
                document.unlink()
        except (UserError, IntegrityError):
            # refused by Odoo, or by a foreign key
            _logger.info("%s is in use and stays", document)
            if "active" in document._fields:
                document.active = False


def _foreign_keys(env):
    """Return the foreign keys between our tables: (table, column, table it names,
    whether the column may be empty)."""
    return env.execute_query(
        SQL(
            """
            SELECT own.relname, key.attname, named.relname, NOT key.attnotnull
              FROM pg_constraint AS con
              JOIN pg_class AS own ON own.oid = con.conrelid
              JOIN pg_class AS named ON named.oid = con.confrelid
              JOIN pg_attribute AS key
                ON key.attrelid = own.oid AND key.attnum = con.conkey[1]
             WHERE con.contype = 'f'
               AND own.relnamespace = 'public'::regnamespace
               AND starts_with(own.relname, 'amazon_')
               AND starts_with(named.relname, 'amazon_')
               AND EXISTS (SELECT FROM pg_attribute AS id
                            WHERE id.attrelid = own.oid AND id.attname = 'id')
            """
        )
    )


def _rows_below(env, table, ids):
    """Return the ids of all rows that hang on some, directly or by others.

    :return: ids by table, with those at the beginning
    :rtype: dict[str, set]
    """
    keys = _foreign_keys(env)
    found = defaultdict(set, {table: set(ids)})
    fresh = {table: set(ids)}
    while fresh:
        named, named_ids = fresh.popitem()
        for own, column, other, _may_be_empty in keys:
            if other != named:
                continue
            rows = env.execute_query(
                SQL(
                    "SELECT id FROM %s WHERE %s = ANY(%s)",
                    SQL.identifier(own),
                    SQL.identifier(column),
                    list(named_ids),
                )
            )
            new = {row[0] for row in rows} - found[own]
            if new:
                found[own] |= new
                fresh[own] = fresh.get(own, set()) | new
    return found


def _delete_rows(env, found):
    """Delete rows of several tables that name each other.

    :param dict found: ids by table
    """
    waiting = {table for table, ids in found.items() if ids}
    keys = [
        key for key in _foreign_keys(env) if key[0] in waiting and key[2] in waiting
    ]
    while waiting:
        naming = [key for key in keys if key[0] in waiting and key[2] in waiting]
        free = waiting - {named for _own, _column, named, _may_be_empty in naming}
        for table in free:
            env.cr.execute(
                SQL(
                    "DELETE FROM %s WHERE id = ANY(%s)",
                    SQL.identifier(table),
                    list(found[table]),
                )
            )
        waiting -= free
        if not free:
            keys.remove(_break_circle(env, found, naming))


def _break_circle(env, found, keys):
    """Empty a column by which tables name each other in a circle.

    :param dict found: ids by table
    :param list keys: the foreign keys between what is left
    :return: the foreign key that names nothing any more
    """
    for key in keys:
        own, column, named, may_be_empty = key
        if may_be_empty and own in _named_by(keys, named):
            env.cr.execute(
                SQL(
                    "UPDATE %(own)s SET %(column)s = NULL"
                    " WHERE id = ANY(%(ids)s) AND %(column)s IS NOT NULL",
                    own=SQL.identifier(own),
                    column=SQL.identifier(column),
                    ids=list(found[own]),
                )
            )
            return key
    raise UserError(env._("The sample account cannot be removed."))


def _named_by(keys, table):
    """Return the tables that a table names, directly or by others; itself, too."""
    reached, fresh = {table}, [table]
    while fresh:
        own = fresh.pop()
        for other, _column, named, _may_be_empty in keys:
            if other == own and named not in reached:
                reached.add(named)
                fresh.append(named)
    return reached
