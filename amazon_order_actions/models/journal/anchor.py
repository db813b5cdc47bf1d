from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import email_split

from .export import json_line


class AmazonAuditAnchor(models.Model):
    """Where a company's chain stood at a moment, to be kept outside of the database.

    Whoever owns the database can build the whole chain anew; the anchors that have left
    it before then show that.
    """

    _name = "amazon.audit.anchor"
    _inherit = "amazon.audit.append_only"
    _description = "Amazon Journal Anchor"
    _order = "id desc"
    _rec_name = "anchored_at"
    _log_access = False

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="restrict"
    )
    number = fields.Integer(
        required=True,
        readonly=True,
        aggregator=None,
        help="So many entries were sealed; 0 where the chain begins.",
    )
    hash = fields.Char(required=True, readonly=True)
    database_uuid = fields.Char("Database", required=True, readonly=True)
    anchored_at = fields.Datetime("When", required=True, readonly=True)
    mail_state = fields.Selection(
        [
            ("none", "Not mailed"),
            ("waiting", "Mail waits"),
            ("sent", "Mailed"),
            ("failed", "Mail failed"),
        ],
        "Mail",
        compute="_compute_mail",
    )
    mail_problem = fields.Char(compute="_compute_mail")

    _company_idx = models.Index("(company_id, number)")

    # === COMPUTE METHODS === #

    def _compute_mail(self):
        # The mail's own row is asked: this one can never be written again.
        states = {"outgoing": "waiting", "sent": "sent", "received": "sent"}
        mails = (
            self.env["mail.mail"]
            .sudo()
            .search([("model", "=", self._name), ("res_id", "in", self.ids)])
        )
        by_anchor = mails.grouped("res_id")
        for anchor in self:
            mail = by_anchor.get(anchor.id, mails.browse())[:1]
            anchor.mail_state = states.get(mail.state, "failed") if mail else "none"
            anchor.mail_problem = mail.failure_reason

    # === ACTION METHODS === #

    def action_download(self):
        """Download all anchors of the companies at hand, as JSON Lines."""
        self.browse().check_access("read")
        return {
            "type": "ir.actions.act_url",
            "url": "/amazon_order_actions/journal/anchors",
            "target": "download",
        }

    # === BUSINESS METHODS === #

    @api.model
    def _make(self, company, result):
        """Anchor the chain of a company as it stands, and mail that.

        :param res.company company: whose journal; it was sealed before
        :param str result: what the check of the day has shown, for the mail
        :return: the anchor; empty where nothing is sealed yet
        """
        head = self.env["amazon.audit.link"].sudo()._head(company.id)
        if not head:
            return self.browse()
        anchor_sudo = self._insert(
            [
                {
                    "company_id": company.id,
                    "number": head.number,
                    "hash": head.hash,
                    "database_uuid": self._beginning(company).database_uuid,
                    "anchored_at": fields.Datetime.now(),
                }
            ]
        )
        anchor_sudo._mail(result)
        return anchor_sudo

    def _beginning(self, company):
        """Return the first anchor of a company: where its chain begins."""
        return self.sudo().search(
            [("company_id", "=", company.id), ("number", "=", 0)], limit=1, order="id"
        )

    def _mail(self, result):
        addresses = email_split(self.company_id.amazon_anchor_emails or "")
        if not addresses:
            return
        words = self.env._(
            "The Amazon journal of %(company)s has %(count)s sealed entries. "
            "%(result)s Keep this mail where nobody who administers Odoo can change "
            "it: the lines below prove later that the journal was not rewritten.",
            company=self.company_id.name,
            count=self.number,
            result=result,
        )
        self.env["mail.mail"].sudo().create(
            {
                "model": self._name,
                "res_id": self.id,
                "subject": self.env._(
                    "Amazon journal of %(company)s: anchor at number %(number)s",
                    company=self.company_id.name,
                    number=self.number,
                ),
                "body_html": Markup("<p>%s</p><pre>%s</pre>")
                % (words, "".join(self._lines())),
                "email_from": self.company_id.email_formatted
                or self.env.user.email_formatted,
                "email_to": ", ".join(addresses),
                # kept: the anchor shows from it whether it has left
                "auto_delete": False,
            }
        )
        self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger()

    def _lines(self):
        """Yield these anchors as lines of a file for ``verify_journal.py --anchor``."""
        for anchor in self.sudo().sorted("id"):
            yield json_line(anchor._as_dict())

    def _as_dict(self):
        return {
            "anchor": 1,
            "company_id": self.company_id.id,
            "company": self.company_id.name,
            "database": self.database_uuid,
            "number": self.number,
            "hash": self.hash,
            "anchored_at": fields.Datetime.to_string(self.anchored_at),
        }
