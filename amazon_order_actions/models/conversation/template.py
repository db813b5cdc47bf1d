import hashlib
import textwrap

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from .reply_content import forbidden, visible
from .reply_rules import (
    LANGUAGES,
    SITUATIONS,
    STAGES,
    known_placeholders,
    money,
    placeholders,
    render,
)

# Characters of an item's title, so that a message stays short.
TITLE_LENGTH = 70


class AmazonReplyTemplate(models.Model):
    """What is written to a buyer in one situation, at one stage, in one language.

    A row for each language, not a translation: the buyer's language is none of those
    that Odoo's users have. The text is plain, and a placeholder is a name from the list
    of what is known by then, so that no text can promise what nobody knows.

    What comes with the addon has no company, and nobody changes it. A company changes
    copies of its own, which come first, and the journal has who changed what.
    """

    _name = "amazon.reply.template"
    _description = "Amazon Reply Template"
    _order = "situation, stage, lang"

    # Required of whatever a person writes; the rules of access see to it. A copy is of
    # the company that makes it.
    company_id = fields.Many2one(
        "res.company",
        default=lambda self: self.env.company,
        copy=False,
        index=True,
        ondelete="cascade",
    )
    situation = fields.Selection(SITUATIONS, required=True)
    stage = fields.Selection(
        STAGES, required=True, default="asked", string="What Is Known"
    )
    lang = fields.Selection(LANGUAGES, required=True, string="Language")
    subject = fields.Char(required=True, help="Of a mail. A message has none.")
    body = fields.Text("Text", required=True)
    placeholder_help = fields.Char("Placeholders", compute="_compute_placeholder_help")

    _what_uniq = models.Constraint(
        "unique(situation, stage, lang, company_id)",
        "There is such a text in this language already. Change that one.",
    )

    # === COMPUTE METHODS === #

    @api.depends("situation", "stage", "lang")
    @api.depends_context("lang")
    def _compute_display_name(self):
        labels = {
            name: dict(self._fields[name]._description_selection(self.env))
            for name in ("situation", "stage", "lang")
        }
        for template in self:
            # "nothing asked" is no news
            shown = [name for name in labels if template[name] not in (False, "none")]
            template.display_name = " · ".join(
                labels[name][template[name]] for name in shown
            )

    @api.depends("situation", "stage")
    def _compute_placeholder_help(self):
        for template in self:
            names = known_placeholders(template.situation, template.stage)
            template.placeholder_help = "  ".join(
                f"${{{name}}}" for name in sorted(names)
            )

    # === CONSTRAINT METHODS === #

    @api.constrains("situation", "stage", "subject", "body")
    def _check_text(self):
        for template in self:
            template._check_placeholders()
            found = forbidden(template._without_placeholders())
            if found:
                raise ValidationError(
                    self.env._(
                        "%(template)s: %(problems)s",
                        template=template.display_name,
                        problems=" ".join(self._describe_forbidden(found)),
                    )
                )

    def _check_placeholders(self):
        known = known_placeholders(self.situation, self.stage)
        for name in placeholders(f"{self.subject}\n{self.body}"):
            if name not in known:
                raise ValidationError(
                    self.env._(
                        "%(template)s: %(name)s is not known when this is written. "
                        "You can use: %(known)s.",
                        template=self.display_name,
                        name=f"${{{name}}}",
                        known=self.placeholder_help,
                    )
                )

    def _without_placeholders(self):
        """Return subject and text with a word in the place of each placeholder."""
        text = f"{self.subject}\n{self.body}"
        return render(text, dict.fromkeys(placeholders(text), "x"))

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override to journal who wrote what."""
        templates = super().create(vals_list)
        templates._journal_texts({}, templates._digests())
        return templates

    def write(self, vals):
        """Override to keep what comes with the addon, and to journal what changed."""
        self._check_own()
        company_id = vals.get("company_id", self.company_id.id)
        if any(template.company_id.id != company_id for template in self):
            raise UserError(
                self.env._(
                    "A reply template stays in its company. Make a new one in the "
                    "other company."
                )
            )
        before = self._digests()
        result = super().write(vals)
        self._journal_texts(before, self._digests())
        return result

    def unlink(self):
        """Override to keep what comes with the addon, and to journal what went."""
        self._check_own()
        self._journal_texts(self._digests(), {})
        return super().unlink()

    def _check_own(self):
        """Refuse to change what comes with the addon. Its updates may.

        :raise UserError: with the sentence that says what to do
        """
        shipped = self.filtered(lambda template: not template.company_id)
        if shipped and not self.env.su:
            raise UserError(
                self.env._(
                    "%s comes with the addon, for all companies. Duplicate it, and "
                    "change the copy of your company.",
                    shipped[0].display_name,
                )
            )

    def _digests(self):
        """Return what each template says, as the journal keeps it: the texts are the
        company's own, and a digest proves them.

        :rtype: dict
        """
        return {
            template: "\n".join(
                [
                    template.display_name,
                    *(
                        f"{name} sha256:"
                        + hashlib.sha256((template[name] or "").encode()).hexdigest()
                        for name in ("subject", "body")
                    ),
                ]
            )
            for template in self.sudo()
        }

    def _journal_texts(self, before, after):
        """Journal the templates of companies that were made, changed or removed.

        :param dict before: what each said, see :meth:`_digests`
        :param dict after: what it says now
        """
        self.env["amazon.audit.entry"]._append(
            [
                {
                    "event": "template",
                    "company_id": template.company_id.id,
                    "origin_model": self._name,
                    "origin_id": template.id,
                    "origin_name": template.display_name,
                    "value_before": before.get(template, False),
                    "value_after": after.get(template, False),
                    "message": template._journal_sentence(before, after),
                }
                for template in self.sudo().filtered("company_id")
                if before.get(template) != after.get(template)
            ]
        )

    def _journal_sentence(self, before, after):
        if self not in before:
            return self.env._("Reply template written.")
        if self not in after:
            return self.env._("Reply template removed.")
        return self.env._("Reply template changed.")

    # === BUSINESS METHODS === #

    @api.model
    def _find(self, situation, stage, lang, company):
        """Return the template, or an empty recordset: the company's own before the one
        that comes with the addon.

        :param str situation: one of ``SITUATIONS``
        :param str stage: one of ``STAGES``
        :param str lang: one of ``LANGUAGES``; English where there is none in it
        :param res.company company: whose reply it is
        """
        found = self.search(
            [
                ("situation", "=", situation),
                ("stage", "=", stage),
                ("lang", "in", (lang, "en")),
                ("company_id", "in", (False, company.id)),
            ]
        )
        return found.sorted(
            lambda template: (template.lang != lang, not template.company_id)
        )[:1]

    def _render(self, values):
        """Return subject and text for a buyer.

        :param dict values: text by name of what is known; more is not used
        :rtype: tuple[str, str]
        """
        self.ensure_one()
        known = known_placeholders(self.situation, self.stage)
        values = {name: value for name, value in values.items() if name in known}
        return render(self.subject, values), render(self.body, values)

    # === BUSINESS METHODS - WHAT IS KNOWN OF AN ACTION === #

    @api.model
    def _render_about(self, action, stage, lang):
        """Return subject and text of a reply, with what is known by now.

        :param amazon.action action: what it is about
        :param str stage: one of ``STAGES``
        :param str lang: one of ``LANGUAGES``
        :rtype: tuple[str, str]
        :raise UserError: when there is no text for it
        """
        template = self._find(action.kind, stage, lang, action.company_id)
        if not template:
            raise UserError(
                self.env._(
                    "There is no reply template for it. An administrator can write "
                    "one under Amazon > Configuration > Reply Templates."
                )
            )
        return template._render(self._values_about(action, lang))

    @api.model
    def _values_about(self, action, lang):
        """Return what is known of an action, as text for a buyer.

        The template takes of it only what may be said at its stage.

        :param amazon.action action: what it is about
        :param str lang: one of ``LANGUAGES``
        :rtype: dict
        """
        action_sudo = action.sudo()
        lines = action_sudo.line_ids._standing()
        # Each item of a refund has a number of its own in Amazon's settlement.
        transactions = [
            f"{action.name}-{of_item[0].id}"
            for of_item in lines.grouped("order_line_id").values()
        ]
        refunds = self.env["amazon.order.refund"].sudo()
        adjustments = refunds.search([("action_id", "=", action.id)])
        return {
            **self._order_values(action.order_id),
            "amount": money(
                action.amount,
                action.currency_id.name,
                lang,
                action.order_id.marketplace,
            ),
            "items": self._items_of(action_sudo),
            "confirmation": action.name,
            "feed": action_sudo.feed_id.feed_ref or action_sudo.request_ref,
            "transaction": ", ".join(transactions),
            "refund_id": ", ".join(
                dict.fromkeys(filter(None, adjustments.mapped("adjustment_ref")))
            ),
        }

    @api.model
    def _order_values(self, order):
        """Return what is known of an order, as text for its buyer.

        :param amazon.order order: one order
        :rtype: dict
        """
        return {
            "order": order.amazon_order_ref,
            "shop": order.account_id.sudo()._shop_name(),
        }

    @api.model
    def _items_of(self, action_sudo):
        """Return the items that an action is about; all of the order where it names
        none."""
        units = {
            line.order_line_id: line.quantity
            for line in action_sudo.line_ids._standing().filtered("order_line_id")
        }
        names = []
        for item in units or action_sudo.order_id.line_ids:
            name = textwrap.shorten(
                visible(item.title) or item.sku or item.amazon_item_ref,
                TITLE_LENGTH,
                placeholder="…",
            )
            count = units.get(item)
            names.append(f"{count} x {name}" if count else name)
        return "; ".join(names)

    @api.model
    def _check_reply(self, text, subject=""):
        """Refuse a text, or its subject, that Amazon does not let through: as they are
        sent, with all values in them.

        :raise UserError: with the sentences that say why
        """
        found = (forbidden(subject) if subject else {}) | forbidden(text)
        if found:
            raise UserError("\n".join(self._describe_forbidden(found)))

    @api.model
    def _describe_forbidden(self, found):
        """Return a sentence for each thing that must not be in a text.

        :param dict found: see :func:`reply_content.forbidden`
        """
        sentences = {
            "empty": self.env._("The text is empty. Write something."),
            "long": self.env._("The text is too long. Make it shorter."),
            "invisible": self.env._(
                "There are characters in the text that cannot be seen and turn the "
                "text around. Type the text anew instead of pasting it."
            ),
            "html": self.env._(
                "There is HTML in the text. Amazon allows plain text only; take it out."
            ),
            "link": self.env._(
                "There is a link in the text: %s. Amazon does not allow links in "
                "messages to buyers; take it out. Where it is none, type a blank after "
                "the dot.",
                found.get("link"),
            ),
            "address": self.env._(
                "There is an e-mail address in the text: %s. Amazon does not allow "
                "addresses in messages to buyers; take it out.",
                found.get("address"),
            ),
            "phone": self.env._(
                "There is a telephone number in the text: %s. Amazon does not allow it "
                "in messages to buyers; take it out.",
                found.get("phone"),
            ),
            "placeholder": self.env._(
                "There is a placeholder in the text that nobody has filled in. Replace "
                "it or take it out."
            ),
        }
        return [sentences[name] for name in found]
