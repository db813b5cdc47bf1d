from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError

from ...models.account.participation import marketplace_selection
from ...models.control.authority import LIMITS, plain
from ...models.control.authority_usage import Asked
from ...models.control.careful import CAREFUL_RIGHTS


class AmazonAuthorityCheck(models.TransientModel):
    """What may this person do? The matrix, read for one person in words, with what is
    used of the limits today. Changes nothing."""

    _name = "amazon.authority.check"
    _description = "Check of Amazon Authority"
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    user_id = fields.Many2one(
        "res.users", "Person", domain="[('company_ids', 'in', company_id)]"
    )
    account_id = fields.Many2one(
        "amazon.seller.account", check_company=True, help="Empty: any."
    )
    marketplace = fields.Selection(marketplace_selection, help="Empty: any.")
    answer = fields.Html(compute="_compute_answer")

    # === COMPUTE METHODS === #

    @api.depends(
        lambda self: ("company_id", "user_id", *self.env["amazon.authority"]._scope())
    )
    def _compute_answer(self):
        for check in self:
            check._check_company_allowed()
            check.answer = check.user_id and Markup().join(
                check._section(right, label)
                for right, label in self.env["amazon.authority"]
                ._fields["right"]
                ._description_selection(self.env)
            )

    def _check_company_allowed(self):
        """Refuse companies of others, whatever a client sends."""
        if self.company_id - self.env.companies:
            raise AccessError(self.env._("You do not work in this company."))

    # === WHAT IS SAID === #

    def _section(self, right, label):
        """Return what the person may do by one right."""
        sign, sentence, rows = self._verdict(right)
        icon = {
            "yes": "fa-check-circle text-success",
            "shared": "fa-users text-warning",
            "no": "fa-times-circle text-danger",
        }[sign]
        said = [self._row_sentence(row, right) for row in rows]
        if sign == "yes" and not rows and right in CAREFUL_RIGHTS:
            said = self._careful_sentences()
        lines = Markup().join(Markup("<li>%s</li>") % sentence for sentence in said)
        return Markup(
            '<div class="mb-3"><i class="fa %s me-2" role="img"></i>'
            "<strong>%s</strong>: %s<ul>%s</ul></div>"
        ) % (icon, label, sentence, lines)

    def _verdict(self, right):
        """Return a sign, a sentence and the rows that apply.

        :rtype: tuple[str, str, list[Row]]
        """
        authority = self.env["amazon.authority"]
        if self.company_id not in self.user_id.sudo().company_ids:
            return "no", self.env._("does not work in this company."), []
        group = self.env.ref(f"amazon_order_actions.group_{right}")
        if group.id not in self.user_id.sudo()._get_group_ids():
            return (
                "no",
                self.env._(
                    "not in the group %(group)s, which no row of the matrix replaces.",
                    group=group.sudo().full_name,
                ),
                [],
            )
        rows = authority._rows(self.company_id.id, right)
        if not rows and right in CAREFUL_RIGHTS:
            return (
                "yes",
                self.env._(
                    "within the careful limits, since there is no row for it. Above "
                    "them a second person decides."
                ),
                [],
            )
        if not rows:
            return (
                "yes",
                self.env._("without limits, since there is no row for it."),
                [],
            )
        rows = [row for row in rows if row.is_about(self.user_id) and self._is_at(row)]
        if not rows:
            return (
                "no",
                self.env._(
                    "no row gives it to this person here. A row with a team is for "
                    "members of that team."
                ),
                [],
            )
        if all(row.mode == "always" for row in rows):
            return "shared", self.env._("never alone."), rows
        return "yes", self.env._("where one of these rows allows it:"), rows

    def _is_at(self, row):
        """Whether a row applies at the place that was chosen, or at any."""
        return all(
            not self[name] or getattr(row, name) in (False, plain(self[name]))
            for name in self.env["amazon.authority"]._scope()
        )

    def _careful_sentences(self):
        """Return the careful limits of the account that was chosen, or of all."""
        accounts = self.account_id or self.env["amazon.seller.account"].search(
            [("company_id", "=", self.company_id.id)]
        )
        return [
            self.env._("%(account)s: %(limit)s", account=account.name, limit=sentence)
            for account in accounts
            for sentence in self.env["amazon.authority"]._careful_sentences(
                account, self.user_id
            )
        ]

    def _row_sentence(self, row, right):
        record = self.env["amazon.authority"].sudo().browse(row.id)
        where = record._where() or self.env._("everywhere")
        return self.env._(
            "%(holder)s, %(where)s: %(what)s",
            holder=record._holder_name(),
            where=where,
            what=self._what(row, right),
        )

    def _what(self, row, right):
        """Say what a row allows, and what is used of it today."""
        if row.mode == "always":
            return self.env._("always with a second person")
        limits = [
            self._limit_sentence(name, row, right)
            for name in LIMITS
            if getattr(row, name)
        ]
        if not limits:
            return self.env._("without limits")
        return self.env._("up to %s", "; ".join(limits))

    def _limit_sentence(self, name, row, right):
        limit = self._money(getattr(row, name))
        if name == "limit_action":
            return self.env._("%s for one action", limit)
        if name == "limit_order":
            return self.env._("%s for one order", limit)
        used = self._used(name, row, right)
        if name == "limit_person_day":
            return self.env._(
                "%(limit)s a day (%(used)s used today)", limit=limit, used=used
            )
        return self.env._(
            "%(limit)s a day for the whole group (%(used)s used today)",
            limit=limit,
            used=used,
        )

    def _used(self, name, row, right):
        authority = self.env["amazon.authority"]
        asked = Asked(right, self.company_id.id, False, False, False, 0)
        domain = authority._day_domain(name, row, asked, self.user_id)
        # sudo: what is used counts, whoever looks
        [(used,)] = (
            self.env["amazon.action"]
            .sudo()
            ._read_group(domain, aggregates=["amount_company:sum"])
        )
        return self._money(used or 0.0)

    def _money(self, amount):
        return self.env["amazon.authority"]._money(amount, self.company_id.currency_id)
