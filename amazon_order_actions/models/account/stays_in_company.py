import psycopg2

from odoo import SUPERUSER_ID, models
from odoo.exceptions import AccessError, UserError

from ..base.private_log import private_logger

_logger = private_logger(__name__)


class AmazonStaysInCompany(models.AbstractModel):
    """A record of a company that other things hang on, each in that same company.

    Odoo lets whoever may write a record give it to any company, also to one that the
    person does not work in. Amazon would then be asked, and buyers written to, with
    another company's account. So the real user is asked here, and what holds a record
    in its company refuses the move.
    """

    _name = "amazon.stays.in.company"
    _description = "Record That Stays in Its Company"

    def write(self, vals):
        """Override to refuse another company where it must not be changed, and to tell
        both journals of it.

        :raise UserError: when something holds a record in its company
        :raise AccessError: when the user does not work in the other company
        """
        if "company_id" not in vals:
            return super().write(vals)
        # before anything is said of a record
        self.check_access("write")
        company_id = self._fields["company_id"].convert_to_cache(
            vals["company_id"], self
        )
        company = self.env["res.company"].sudo().browse(company_id)
        moving = self.sudo().filtered(lambda record: record.company_id != company)
        moving = moving.filtered(lambda record: record._is_of_amazon(vals))
        for record_sudo in moving:
            record_sudo._check_may_move(company)
        sources = {record: record.company_id for record in moving}
        result = super().write(vals)
        for record_sudo, source in sources.items():
            record_sudo._journal_company(
                source,
                company,
                self.env._("It was moved to another company."),
            )
        return result

    def _check_may_move(self, company):
        """Refuse to move a record, in sudo mode, and tell both journals.

        :param res.company company: where it should go, in sudo mode
        :raise UserError: when something holds it in its company
        :raise AccessError: when the user does not work in the other company
        """
        held = self._held_from(company)
        if held:
            self._journal_refused(company)
            raise UserError(held)
        if not is_working_in(self.env, company):
            self._journal_refused(company)
            raise AccessError(
                self.env._(
                    "You cannot move %s to a company that you are not working in. "
                    "Switch to that company as well, or ask somebody who works there.",
                    self.display_name,
                )
            )

    # === HOOKS === #

    def _is_of_amazon(self, vals):
        """Hook: whether Amazon has to do with it, so that its company matters here.

        :param dict vals: what is written to it together with its company
        """
        return True

    def _held_from(self, company):
        """Hook: return the sentence that says what holds it back from going to another
        company, or False. What is there already holds nothing back, so that what once
        went astray can return.

        Called in sudo mode.

        :param res.company company: where it should go
        """
        return False

    # === JOURNAL === #

    def _journal_company(self, source, target, message):
        """Append to the journals of both companies what became of a move."""
        self.env["amazon.audit.entry"]._append(
            self._prepare_journal_company(source, target, message)
        )

    def _journal_refused(self, target):
        """Append to the journals of both companies that a move was refused.

        In a transaction of its own, since the refusal ends the one it is made in. The
        refusal holds where that fails.
        """
        entries = self._prepare_journal_company(
            self.company_id,
            target,
            self.env._("A move to another company was refused."),
        )
        try:
            with self.env.registry.cursor() as cr:
                self.env(cr=cr)["amazon.audit.entry"]._append(entries)
        except psycopg2.Error as error:
            _logger.warning("%s: the refusal was not journaled: %s", self, error)

    def _prepare_journal_company(self, source, target, message):
        """Return an entry for each of the companies. Each names the other one only
        where the user works in both."""
        both = {company: company.name for company in source | target}
        if not all(is_working_in(self.env, company) for company in both):
            both = dict.fromkeys(both, self.env._("another company"))
        return [
            {
                "event": "company",
                "company_id": company.id,
                "origin_model": self._name,
                "origin_id": self.id,
                "origin_name": company == source and self[self._rec_name],
                "value_before": (both | {company: company.name}).get(source),
                "value_after": (both | {company: company.name}).get(target),
                "message": message,
            }
            for company in both
        ]


def is_working_in(env, company):
    """Tell whether the real user is allowed in a company and has it active.

    Asked of the user also in sudo mode, where Odoo takes any company for active that a
    context names. OdooBot works for every company: jobs, scheduled actions and the mail
    gateway are its.

    :param Environment env: of the caller
    :param res.company company: the company; no company is nobody's
    """
    if env.uid == SUPERUSER_ID:
        return True
    active = env.context.get("allowed_company_ids")
    allowed = env.user._get_company_ids()
    return company.id in allowed and (not active or company.id in active)
