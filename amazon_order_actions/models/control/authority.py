from operator import itemgetter
from typing import NamedTuple

from odoo import api, fields, models, tools
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

from ..account.participation import marketplace_selection
from .authority_usage import DAYS, Asked

RIGHTS = [
    ("refund", "Refund"),
    ("cancel", "Cancel"),
    ("edit", "Edit"),
    ("message", "Message buyers"),
    ("approve", "Approve"),
]

LIMITS = ("limit_action", "limit_order", *DAYS)
# Administrators that a refusal names.
NAMED_ADMINISTRATORS = 3


class Row(NamedTuple):
    """A row of the matrix as plain values."""

    id: int
    group_id: int | bool
    user_id: int | bool
    account_id: int | bool
    marketplace: str | bool
    mode: str
    limit_action: float
    limit_order: float
    limit_person_day: float
    limit_group_day: float
    team_id: int | bool = False

    def is_about(self, user):
        """Whether it is about a person: by name, or as a member of its group; and of
        its team, since whoever asks may choose the team of a document."""
        # sudo: who may do what is judged for everybody
        user_sudo = user.sudo()
        authority = user_sudo.env["amazon.authority"]
        if self.team_id and not authority._is_in_team(user_sudo, self.team_id):
            return False
        if self.user_id:
            return self.user_id == user.id
        return self.group_id in user_sudo._get_group_ids()

    def covers(self, asked):
        """Whether it applies where something is asked for."""
        return all(
            getattr(self, name) in (False, getattr(asked, name))
            for name in ("account_id", "marketplace", "team_id")
        )

    def has_day_limit(self):
        """Whether what was asked for before on the same day matters."""
        return bool(self.limit_person_day or self.limit_group_day)


class AmazonAuthority(models.Model):
    """A row of the matrix: who may do what, where, and up to how much alone.

    **Who**: the members of a group, or one person. **What**: a right; its group
    (Refunds, Cancellations, ...) stays the first condition, and no row widens it.
    **Where**: a seller account, a marketplace, and a team where an addon brings
    documents that have one; empty: everywhere. The team is the one of the document when
    it is asked for; what is asked from a document without one is covered only by rows
    without a team. A row with a team is about members of that team alone: others could
    move a document into it. So it is for *Approve*, too, or the asker would choose who
    may approve.

    - A company without a row for a right leaves it to the group of that right: without
      limits where it moves no money, within the careful limits of the account
      (`amazon.careful.limit`) where it does. Rows of other companies never count.
    - Rows add up: what one row allows, no other takes away. A row for a person can only
      give more. Who should get less must leave the group that gives it.
    - Something goes alone where at least one row that covers it allows it within all
      limits of that row. Where rows cover it and none does, a second person decides.
      Where no row covers it, it is refused.
    - Limits are in the company's currency, at the rate of the day; 0: none. They count
      what is asked for, whatever becomes of it, but not what did not happen (withdrawn,
      blocked, rejected, refused, expired). What waits for approval counts: it may be
      approved at any moment, and asking for more in the meantime would pass the limit.
    - What a person has done in Seller Central and records here counts, and is never
      refused or sent to a second person: a refusal would lose the evidence.
    - *Per order* counts what anybody asked for on the order by this right, at any time.
      *Per person and day* counts what the person asked for by this right within the
      row's account, team and marketplace; *per group and day* what all members of the
      group did. A day is a calendar day in the time zone that an administrator has set
      (`res.company.amazon_tz`).
    - What is to be sent again, since a person says that Amazon does not have it, is
      judged again, for that person; and needs a second one where it did before.
    - What counts: of a refund its amount, of a cancellation what was charged for what
      is cancelled. Other kinds count nothing; rows only say where, and with whom.
    - Where the order's currency has no rate, a limit cannot be judged: a second person
      decides, and it counts nothing for the limits of others.
    - Rows for *Approve* say where somebody may approve, and up to how much per action.
    """

    _name = "amazon.authority"
    _inherit = ["amazon.authority.careful", "amazon.journaled.row"]
    _description = "Amazon Authority"
    _order = "right, group_id, user_id, id"
    _check_company_auto = True
    _keeps_account = True

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    active = fields.Boolean(default=True)
    right = fields.Selection(RIGHTS, required=True)
    group_id = fields.Many2one(
        "res.groups",
        ondelete="restrict",
        index="btree_not_null",
        help="All its members, also those that are in it through another group. They "
        "need the group of the right itself, too.",
    )
    user_id = fields.Many2one(
        "res.users",
        "Person",
        ondelete="restrict",
        index="btree_not_null",
        check_company=True,
        help="One person instead of a group, who gets this besides what the groups "
        "give. The person needs the group of the right itself, too.",
    )
    account_id = fields.Many2one(
        "amazon.seller.account",
        ondelete="restrict",
        check_company=True,
        help="Empty: every account.",
    )
    marketplace = fields.Selection(
        marketplace_selection, help="Empty: every marketplace."
    )
    mode = fields.Selection(
        [("alone", "Alone"), ("always", "Always two")],
        required=True,
        default="alone",
        help="Alone: within the limits nobody else is asked; above them a second "
        "person decides. Always two: a second person decides in any case, unless "
        "another row lets it go alone.",
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    limit_action = fields.Monetary(
        "Per Action",
        # limits add up to nothing that means something
        aggregator=None,
        help="Of one action, in the company's currency. 0: no limit. For Approve: the "
        "most that may be approved.",
    )
    limit_order = fields.Monetary(
        "Per Order",
        aggregator=None,
        help="Of all that anybody asks for by this right on one order, in the "
        "company's currency. 0: no limit.",
    )
    limit_person_day = fields.Monetary(
        "Per Person and Day",
        aggregator=None,
        help="Of all that one person asks for by this right on one day, within the "
        "account, team and marketplace of this row, in the company's currency. What "
        "waits for approval counts. A day begins at midnight in the time zone under "
        "Amazon > Configuration > Journal Settings. 0: no limit.",
    )
    limit_group_day = fields.Monetary(
        "Per Group and Day",
        aggregator=None,
        help="Of all that the members of the group ask for together by this right on "
        "one day, within the account, team and marketplace of this row, in the "
        "company's currency. 0: no limit.",
    )

    remark = fields.Char(compute="_compute_remark")

    _holder = models.Constraint(
        "CHECK((group_id IS NULL) != (user_id IS NULL))",
        "Choose either a group or a person.",
    )
    _limits_positive = models.Constraint(
        f"CHECK(LEAST({', '.join(LIMITS)}) >= 0)",
        "A limit cannot be below zero. 0 stands for no limit.",
    )
    _group_limit = models.Constraint(
        "CHECK(user_id IS NULL OR COALESCE(limit_group_day, 0) = 0)",
        "A limit per group and day needs a group.",
    )
    _approve_limits = models.Constraint(
        "CHECK(\"right\" != 'approve' OR (mode = 'alone' AND GREATEST("
        "limit_order, limit_person_day, limit_group_day, 0) = 0))",
        "Approvals have a limit per action only.",
    )

    # === HOOKS FOR TEAMS === #

    @api.model
    def _scope(self):
        """Hook: return the fields of a row that say where it applies; empty:
        everywhere."""
        return ("account_id", "marketplace")

    @api.model
    def _team_of(self, document):
        """Hook: return the id of the team of a document, in sudo mode, or False."""
        return False

    @api.model
    def _is_in_team(self, user, team_id):
        """Hook: whether a user, in sudo mode, is a member of a team."""
        return False

    @api.model
    def _places(self, asked):
        """Hook: say where something is asked for, in words of the screen, each part by
        itself.

        :rtype: list[str]
        """
        account = self.env["amazon.seller.account"].sudo().browse(asked.account_id)
        return [
            self.env._("the account %s", account.name),
            self.env._(
                "the marketplace %s",
                dict(marketplace_selection()).get(asked.marketplace)
                or self.env._("unknown"),
            ),
        ]

    def _places_of_row(self):
        """Hook: say where the row applies, each part by itself; False: everywhere.

        :rtype: list
        """
        # not the name of an account that the user may not know
        return [self.account_id.sudo().display_name, self._label("marketplace")]

    @api.model
    def _journaled(self):
        """Return what a row says, as the journal keeps it: names of fields."""
        where = self._scope()
        return ("active", "right", "group_id", "user_id", *where, "mode", *LIMITS)

    # === COMPUTE METHODS === #

    @api.depends(lambda self: ("right", "group_id", "user_id", *self._scope()))
    def _compute_display_name(self):
        for row in self:
            row.display_name = ", ".join(
                filter(None, [row._label("right"), row._holder_name(), row._where()])
            )

    @api.depends(lambda self: ("company_id", *self._journaled()))
    def _compute_remark(self):
        """Say so where a row changes nothing: rows add up, so one that should take
        something away has no effect."""
        for row in self:
            rows = self.search(
                [("company_id", "=", row.company_id.id), ("right", "=", row.right)],
                order="id",
            )
            others = (rows - row._origin).filtered(
                lambda other, row=row: (
                    other._gives_all_of(row)
                    # of two that say the same, the later one is needless
                    and (not row._gives_all_of(other) or other.id < row._origin.id)
                )
            )
            row.remark = (
                row.active
                and bool(others)
                and self.env._(
                    "No effect: another row gives as much (%s).", others[0].display_name
                )
            )

    def _gives_all_of(self, row):
        """Whether this row lets everybody do what another one lets them do."""
        return (
            self._is_about_all_of(row)
            and all(not self[name] or self[name] == row[name] for name in self._scope())
            and (row.mode == "always" or self._is_no_tighter(row))
        )

    def _is_about_all_of(self, row):
        if row.user_id:
            # sudo: who is in which group is judged for everybody
            groups = row.user_id.sudo().all_group_ids
            return self.user_id == row.user_id or self.group_id in groups
        return self.group_id in row.group_id.sudo().all_implied_ids

    def _is_no_tighter(self, row):
        """Whether the limits leave as much; those of a day count the same only at the
        same place and for the same people."""
        same = (*self._scope(), "group_id", "user_id")
        is_same = all(self[name] == row[name] for name in same)
        return self.mode == "alone" and all(
            not self[name]
            or (row[name] and self[name] >= row[name] and (name not in DAYS or is_same))
            for name in LIMITS
        )

    # === ONCHANGE METHODS === #

    @api.onchange("right")
    def _onchange_right(self):
        if self.right and not self.group_id and not self.user_id:
            self.group_id = self.env.ref(
                f"amazon_order_actions.group_{self.right}", raise_if_not_found=False
            )
        if self.right == "approve":
            self.mode = "alone"
            self.limit_order = self.limit_person_day = self.limit_group_day = 0

    @api.onchange("user_id")
    def _onchange_user(self):
        if self.user_id:
            self.group_id = False
            self.limit_group_day = 0

    @api.onchange("group_id")
    def _onchange_group(self):
        if self.group_id:
            self.user_id = False

    # === CRUD METHODS === #

    def write(self, vals):
        """Override to keep a row in its company.

        :raise UserError: when it was to go into another one
        """
        company_id = vals.get("company_id")
        if company_id and self.company_id - self.company_id.browse(company_id):
            raise UserError(
                self.env._(
                    "A row of the matrix stays in its company. Make a new one in the "
                    "other company."
                )
            )
        return super().write(vals)

    def _journal_sentence(self, row, before, after):
        """Override: by its number."""
        if row not in before:
            return self.env._("Authority given: row %(row)s.", row=row.id)
        if row not in after:
            return self.env._("Authority removed: row %(row)s.", row=row.id)
        return self.env._("Authority changed: row %(row)s.", row=row.id)

    # === BUSINESS METHODS - JUDGING === #

    def _judge(self, order, asked):
        """Judge whether the current user may ask for something alone.

        :param amazon.order order: the order, taken for this transaction, in sudo mode
        :param Asked asked: what is asked for
        :return: the sentence that says why a second person is needed, or False
        :raise AccessError: where the company has rows for it, and none covers it
        """
        rows = self._rows(asked.company_id, asked.right)
        if not rows:
            return self._judge_carefully(asked)
        covering = self._covering(rows, self.env.user, asked)
        if not covering:
            raise AccessError(self._not_covered(asked))
        return self._why_not_alone(covering, order, asked)

    def _forecast(self, handler, order, origin, amount):
        """Say before the click what will be said of it, as far as no sum of the day is
        needed for that.

        :param handler: the kind of action
        :param amazon.order order: the order
        :param origin: the document that it is asked from
        :param float amount: what counts against limits, in the order's currency
        :return: the sentence that refuses it, and the one that says why a second person
            is needed; each False where there is none
        :rtype: tuple
        """
        not_known = handler._not_known(order)
        if handler._is_assisted(order):
            return False, self._forecast_approval(not_known)
        rows = self._rows(order.company_id.id, handler._right())
        # the sentences name where they are
        origin.check_access("read")
        order_sudo = order.sudo()
        asked = self._weigh(handler, order_sudo, origin.sudo(), amount)
        if not rows:
            why, _near = self._foresee_carefully(asked)
            return False, self._forecast_approval(why, not_known)
        covering = self._covering(rows, self.env.user, asked)
        if not covering:
            return self._not_covered(asked), False
        why = self._why_not_alone(covering, order_sudo, asked, of_today=False)
        return False, self._forecast_approval(why, not_known)

    def _forecast_approval(self, *reasons):
        """Say before the click that a second person must decide, where one must."""
        why = " ".join(filter(None, reasons))
        return bool(why) and self.env._(
            "A second person must approve it before it is sent. %s", why
        )

    def _may_approve(self, action, user):
        """Tell whether a person may approve an action: where it is, and so much.

        Says nothing of delegation, nor of who has asked for it.

        :param amazon.action action: what waits for approval, in sudo mode
        :param res.users user: who wants to approve it
        :return: False where the person may, else the sentence that says why not
        """
        if not user.has_group("amazon_order_actions.group_approve"):
            return self.env._(
                "%(user)s may not approve what is asked of Amazon. An administrator "
                "can grant it (Amazon orders: Approvals).",
                user=user.name,
            )
        asked = action._asked("approve")
        rows = self._rows(asked.company_id, asked.right)
        if not rows:
            return False
        covering = self._covering(rows, user, asked)
        if not covering:
            return self.env._(
                "%(user)s may not approve here: no row of the matrix gives it for "
                "%(where)s. A row with a team is for members of that team. An "
                "administrator can add one under Amazon > Configuration > Who May Do "
                "What.",
                user=user.name,
                where=self._place(asked),
            )
        most = max(covering, key=lambda row: row.limit_action or float("inf"))
        if not most.limit_action:
            return False
        if asked.amount is None:
            return self.env._(
                "The currency of %(action)s has no rate, so it cannot be compared with "
                "the limit of %(user)s. Somebody without a limit may approve it.",
                action=action.name,
                user=user.name,
            )
        currency = action.company_currency_id
        if currency.compare_amounts(asked.amount, most.limit_action) <= 0:
            return False
        return self.env._(
            "%(user)s may approve up to %(limit)s here, and this is %(amount)s.",
            user=user.name,
            limit=self._money(most.limit_action, currency),
            amount=self._amount(asked),
        )

    @api.model
    def _rows(self, company_id, right):
        """Return the rows of a company for a right, as plain values.

        Read anew each time: kept in the process, a limit might be judged by what a
        transaction read that had begun before an administrator changed it.

        :rtype: tuple[Row]
        """
        names = [name for name in Row._fields if name in self._fields]
        # archived rows give nothing, whatever the context of a caller says
        rows_sudo = self.sudo().search_fetch(
            Domain("active", "=", True)
            & Domain("company_id", "=", company_id)
            & Domain("right", "=", right),
            names,
            order="id",
        )
        return tuple(
            Row(**{name: plain(row[name]) for name in names}) for row in rows_sudo
        )

    def _covering(self, rows, user, asked):
        return [row for row in rows if row.is_about(user) and row.covers(asked)]

    def _why_not_alone(self, rows, order, asked, of_today=True):
        """Return the sentence that says why none of the covering rows lets it go
        alone, or False where one does.

        Rows that need no sum of the day are asked first: most often one of them lets it
        go, and nobody waits for anybody.

        :param bool of_today: whether to ask for the sums of the day, too
        """
        rows = [row for row in rows if row.mode == "alone"]
        if not rows:
            return self.env._("By the matrix this always needs a second person.")
        if asked.amount is None:
            return self._rateless(rows)
        exceeded, daily = [], []
        for row in rows:
            gap = self._exceeded_at_once(row, order, asked)
            if gap:
                exceeded.append(gap)
            elif of_today and row.has_day_limit() and asked.amount:
                daily.append(row)
            else:
                return False
        if daily:
            gaps = self._exceeded_today(daily, asked)
            if not all(gaps):
                return False
            exceeded += gaps
        return self._exceeded_sentence(max(exceeded, key=itemgetter("left")), asked)

    def _rateless(self, rows):
        if any(not any(getattr(row, name) for name in LIMITS) for row in rows):
            return False
        return self.env._(
            "Odoo knows no rate for the currency of the order, so it cannot be "
            "compared with the limits."
        )

    def _exceeded_at_once(self, row, order, asked):
        """Return the limit of one action or order that is exceeded, or None."""
        gap = self._gap("limit_action", row, 0, asked)
        if gap or not row.limit_order:
            return gap
        return self._gap("limit_order", row, self._used_on(order, asked), asked)

    def _gap(self, name, row, used, asked):
        """Return what is left of a limit where that is not enough, else None."""
        limit = getattr(row, name)
        left = limit - used
        if not limit or not asked.amount:
            return None
        if self._currency(asked).compare_amounts(asked.amount, left) <= 0:
            return None
        return {"name": name, "row": row, "limit": limit, "used": used, "left": left}

    @api.model
    def _nothing_asked(self, account, right="refund"):
        """Return what is judged where nobody has asked for anything yet.

        :rtype: Asked
        """
        return Asked(right, account.company_id.id, account.id, False, 0.0)

    # === WHAT IS SAID === #

    def _exceeded_sentence(self, gap, asked):
        currency = self._currency(asked)
        values = {
            "amount": self._amount(asked),
            "limit": self._money(gap["limit"], currency),
            "used": self._money(gap["used"], currency),
            "left": self._money(max(gap["left"], 0), currency),
            "group": self.env["res.groups"].sudo().browse(gap["row"].group_id).name,
        }
        sentences = {
            "limit_action": lambda: self.env._(
                "%(amount)s is above the limit of one action, %(limit)s.", **values
            ),
            "limit_order": lambda: self.env._(
                "%(amount)s is above what is left of the limit of one order: of "
                "%(limit)s, %(used)s is used and %(left)s left.",
                **values,
            ),
            "limit_person_day": lambda: self.env._(
                "%(amount)s is above what is left of the limit of one person and day: "
                "of %(limit)s, %(used)s is used today and %(left)s left.",
                **values,
            ),
            "limit_group_day": lambda: self.env._(
                "%(amount)s is above what is left of the limit of the group %(group)s "
                "and day: of %(limit)s, %(used)s is used today and %(left)s left.",
                **values,
            ),
        }
        return sentences[gap["name"]]()

    def _not_covered(self, asked):
        return self.env._(
            "You may not do this here (%(right)s). In %(company)s this right is given "
            "by account, team and marketplace, and no row of the matrix gives it to "
            "you for %(where)s. A row with a team is for members of that team. "
            "%(whom)s can give it to you under Amazon > Configuration > Who May Do "
            "What; or ask a colleague who has it.",
            right=dict(self._fields["right"]._description_selection(self.env))[
                asked.right
            ],
            company=self.env["res.company"].sudo().browse(asked.company_id).name,
            where=self._place(asked),
            whom=self._administrators(asked.company_id),
        )

    def _place(self, asked):
        """Say where something is asked for, with the words of the screen."""
        return ", ".join(self._places(asked))

    def _administrators(self, company_id):
        """Name those who can change the matrix of a company, a few of them."""
        group_id = self.env["ir.model.data"]._xmlid_to_res_id(
            "amazon_order_actions.group_admin"
        )
        users = (
            self.env["res.users"]
            .sudo()
            .search(
                [
                    ("all_group_ids", "in", group_id),
                    ("company_ids", "in", company_id),
                ],
                limit=NAMED_ADMINISTRATORS,
            )
        )
        return ", ".join(users.mapped("name")) or self.env._("An administrator")

    def _text(self):
        """Override: a line for each field that says something."""
        return "\n".join(
            f"{self._fields[name]._description_string(self.env)}: {self._label(name)}"
            for name in self._journaled()
            if self[name] or name == "active"
        )

    def _label(self, name):
        """Return the value of a field as a person reads it."""
        value, field = self[name], self._fields[name]
        if field.type == "selection":
            return dict(field._description_selection(self.env)).get(value, value)
        if field.type == "monetary":
            return self._money(value, self.currency_id)
        if field.type == "many2one":
            # the id, too: names can be changed, and given to others
            return value and f"{value.sudo().display_name} ({value.id})"
        return str(value)

    def _holder_name(self):
        return self.user_id.name or self.group_id.sudo().full_name

    def _where(self):
        """Say where the row applies; empty where it does everywhere."""
        return ", ".join(filter(None, self._places_of_row()))

    def _amount(self, asked):
        """Return what counts, and what it is in the currency of the order."""
        own = self._currency(asked)
        amount = self._money(asked.amount, own)
        if asked.currency_id in (False, own.id):
            return amount
        currency = own.browse(asked.currency_id)
        return f"{self._money(asked.amount_of_order, currency)} ({amount})"

    def _currency(self, asked):
        return self.env["res.company"].sudo().browse(asked.company_id).currency_id

    def _money(self, amount, currency):
        return tools.formatLang(self.env, amount, currency_obj=currency)


def plain(value):
    """Return the id of a record, or any other value as it is."""
    return value.id if isinstance(value, models.BaseModel) else value
