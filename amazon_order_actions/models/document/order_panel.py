from datetime import datetime
from functools import partial

from odoo import api, fields, models
from odoo.tools import SQL, float_round

from ..action.states import BEFORE_SENDING, OPEN_STATES, RESERVING_STATES
from ..order.amounts import Amounts, paid_share, rounding
from ..order.fulfillment_order import MCF_OPEN

# What the panel reads of each action, and of the feed that carries it.
ACTION_FIELDS = (
    "id",
    "name",
    "kind",
    "feed_type",
    "state",
    "state_message",
    "set_aside_message",
    "last_state_change",
    "amount",
    "due_at",
    "needs_person",
)
DATETIMES = (
    "last_state_change",
    "due_at",
    "feed_submitted_at",
)
# Of what waits for nobody.
NO_APPROVAL = {"can_approve": False, "approval_until": False}
FEED_FIELDS = (
    "submitted_at",
    "processing_status",
    "message_count",
    "drop_message",
    "is_adopted",
    "set_aside_message",
)


class AmazonPanelSection(models.AbstractModel):
    """Something that another room or addon shows in the panel of an order.

    A model that inherits from this one is shown: that registers it.
    """

    _name = "amazon.panel.section"
    _description = "Section of the Panel of Amazon Orders"

    def _columns(self, query):
        """Hook: return what else is read of each action, by name.

        :param Query query: of the actions, to be joined with what belongs to them
        :rtype: dict[str, SQL]
        """
        return {}

    def _add(self, panel, rows):
        """Hook: add to what the panel shows.

        :param dict panel: what :meth:`amazon.order.panel._of` returns; changed
        :param list[dict] rows: the actions as they were read, in the same order
        """
        raise NotImplementedError

    @api.model
    def _all(self):
        """Return all sections that there are, the base itself excepted.

        :rtype: list
        """
        names = self.env.registry.descendants(["amazon.panel.section"], "_inherit")
        return [self.env[name] for name in sorted(names) if name != self._name]


class AmazonOrderPanel(models.AbstractModel):
    """What the panel in a form shows of an order.

    A form is opened often, so all of it is read in a few queries, however many items
    and past actions there are; the amounts go by the same rules as the fields.
    """

    _name = "amazon.order.panel"
    _description = "Panel of Amazon Orders"

    # === GETTERS === #

    @api.model
    def _of(self, order):
        """Return what the panel in a form shows, ready for people's eyes.

        :param amazon.order order: one order
        :return: plain values; amounts in the order's currency, times in UTC
        :rtype: dict
        """
        order.ensure_one()
        order = order.sudo()
        charges, actions = self._read_rows(order)
        panel = {
            **self._order_data(order),
            **self._amounts(order, charges),
            "actions": self._actions(order, actions),
            "alarms": self._alarms(order),
        }
        for section in self.env["amazon.panel.section"]._all():
            section._add(panel, actions)
        return panel

    def _order_data(self, order):
        """Return what Amazon says of the order as a whole, and of its reading."""
        fulfillment = self._fulfillment(order)
        status = "mcf_status" if fulfillment else "fulfillment_status"
        return {
            "id": order.id,
            "ref": order.amazon_order_ref,
            "now": fields.Datetime.to_string(fields.Datetime.now()),
            "status": order[status],
            "status_label": self._label(order, status),
            "channel": order.channel,
            "channel_label": self._label(order, "channel"),
            "marketplace_label": self._label(order, "marketplace"),
            "seller_central_url": order.seller_central_url,
            "purchased_at": fields.Datetime.to_string(order.purchased_at),
            "read_state": order.read_state,
            "read_message": order._read_sentence(),
            "read_at": fields.Datetime.to_string(order.known_until or order.read_at),
            "is_stale": order._is_stale(),
            "finances_state": order.finances_state,
            "finances_message": order.finances_message,
            "cancel_requested": order.cancel_requested,
            "cancel_request_reason": order.cancel_request_reason,
            "cancelled_by": self._label(order, "cancelled_by"),
            "claim_found": order.claim_found,
            "chargeback_found": order.chargeback_found,
            "currency": self._currency(order),
            "fulfillment": fulfillment,
        }

    def _label(self, order, name):
        """Return the label of what a selection field holds, in the user's language."""
        options = dict(order._fields[name]._description_selection(self.env))
        return options.get(order[name])

    def _currency(self, order):
        """Return the currency as the web client finds it; it knows the active ones."""
        currency = order.currency_id
        if not currency:
            return False
        known = currency.get_all_currencies().get(currency.id)
        name = known["name"] if known else currency.name
        return {"id": currency.id, "name": name}

    def _fulfillment(self, order):
        """Return what is shown of a fulfillment order, False for other orders."""
        if not order.is_fulfillment_order:
            return False
        return {
            "speed": self._label(order, "mcf_speed"),
            "policy": self._label(order, "mcf_policy"),
            "is_on_hold": order.mcf_action == "Hold" and order.mcf_status in MCF_OPEN,
            "displayed_ref": order.mcf_displayed_ref,
            "comment": order.mcf_comment,
            "packages": order.mcf_packages or [],
        }

    @api.model
    def _alarms(self, order):
        """Return what everybody should know who is about to act on this order.

        :param amazon.order order: one order
        :return: dicts with kind, message, and since when (UTC)
        :rtype: list[dict]
        """
        order_sudo = order.sudo()
        alarms_sudo = self.env["amazon.alarm"].sudo()
        alarms_sudo = alarms_sudo.search_fetch(
            [
                ("company_id", "=", order_sudo.company_id.id),
                ("account_id", "in", (False, order_sudo.account_id.id)),
                ("kind", "in", alarms_sudo._panel_kinds()),
                ("state", "=", "open"),
            ],
            ["kind", "message", "panel_message", "is_told", "since"],
        )
        return [
            {
                "kind": alarm.kind,
                "message": alarm.with_env(self.env).sudo()._panel_sentence(),
                "since": fields.Datetime.to_string(alarm.since),
            }
            for alarm in alarms_sudo
        ]

    def _rounding(self, order):
        """Return the function that rounds in the order's currency, by what the process
        knows of those that are active."""
        known = order.currency_id.get_all_currencies().get(order.currency_id.id)
        if not known:
            return rounding(order.currency_id)
        return partial(float_round, precision_digits=known["digits"][1])

    # === GETTERS - AMOUNTS === #

    def _amounts(self, order, rows):
        """Return the amounts of the order, and its items with theirs.

        :param list[dict] rows: charges, see :meth:`_read_rows`
        :rtype: dict
        """
        of_charges, rounded = {}, self._rounding(order)
        for row in rows:
            # of an order without items, one row names none
            if row["line_id"]:
                of_charges.setdefault(row["line_id"], []).append(row)
        of_items, lines = [], []
        for of_item in of_charges.values():
            amounts = Amounts.of_whole(
                [self._charge_amounts(order, row, rounded) for row in of_item], rounded
            )
            of_items.append(amounts)
            lines.append(self._line(of_item[0]) | amounts._asdict())
        refunded = rows[0]["refunded_of_order"]
        of_order = Amounts.of_whole(of_items, rounded, refunded)
        elsewhere = rows[0]["refunded_elsewhere"]
        posted_at = elsewhere["posted_at"]
        return {
            "totals": of_order._asdict(),
            "lines": lines,
            "refunded_elsewhere": elsewhere["amount"] or 0.0,
            "refunded_elsewhere_at": posted_at and posted_at.replace("T", " "),
        }

    def _charge_amounts(self, order, row, rounded):
        share = paid_share(
            row["quantity_ordered"],
            row["quantity_fulfilled"],
            order.claim_found or order.chargeback_found,
        )
        return Amounts.of_charge(
            row["charged"], share, row["refunded"], row["reserved"], rounded
        )

    def _line(self, row):
        return {
            "id": row["line_id"],
            **{
                name: row[name]
                for name in (
                    "title",
                    "sku",
                    "quantity_ordered",
                    "quantity_fulfilled",
                    "quantity_cancelled",
                    "quantity_unfulfillable",
                    "cancel_requested",
                    "cancel_request_reason",
                )
            },
        }

    # === GETTERS - ACTIONS === #

    def _actions(self, order, rows):
        """Return the actions of the order, the newest first, for the current user.

        :param list[dict] rows: actions, see :meth:`_read_rows`
        """
        self._close_unreadable(rows)
        forecasts_sudo = self.env["amazon.forecast"].sudo()
        forecast = forecasts_sudo._for_actions(order.account_id, rows)
        actions = self.env["amazon.action"]
        labels = {
            name: dict(actions._fields[name]._description_selection(self.env))
            for name in ("kind", "state")
        }
        kinds = self.env["amazon.action.kind"]
        has_group = {
            kind: self.env.user.has_group(kinds._named(kind)._group)
            for kind in {row["kind"] for row in rows}
        }
        may_act = {
            row["id"]: row["is_readable"] and has_group[row["kind"]] for row in rows
        }
        waiting = [row["id"] for row in rows if row["state"] == "to_approve"]
        approvals = actions.browse(waiting)._panel_approvals()
        for row in rows:
            approval = approvals.setdefault(row["id"], dict(NO_APPROVAL))
            approval["can_approve"] = approval["can_approve"] and row["is_readable"]
        return [
            {
                "id": row["id"],
                "name": row["name"],
                "kind_label": labels["kind"].get(row["kind"], row["kind"]),
                "state": row["state"],
                "state_label": labels["state"][row["state"]],
                "message": _known(row),
                "since": fields.Datetime.to_string(row["last_state_change"]),
                "amount": row["amount"],
                "due_at": fields.Datetime.to_string(row["due_at"]),
                "can_withdraw": row["state"] in BEFORE_SENDING
                and not approvals[row["id"]]["can_approve"]
                and may_act[row["id"]],
                **approvals[row["id"]],
                "can_drop": self._can_drop(row) and may_act[row["id"]],
                "can_record": may_act[row["id"]]
                and kinds._named(row["kind"])._may_record_by_hand(order, row["state"]),
                "can_decide": bool(row["needs_person"]) and may_act[row["id"]],
                "drop_message": row["state"] == "submitted"
                and row["feed_drop_message"],
                "feed_count": row["feed_message_count"],
                **forecast.get(row["id"], {}),
            }
            for row in rows
        ]

    def _close_unreadable(self, rows):
        """Take out what belongs to a document that the user may not read.

        What the actions promise counts, so everybody sees that they are there: what,
        how much, how far, and by whom.

        :param list[dict] rows: actions, see :meth:`_read_rows`; changed
        """
        closed = {row["id"]: row for row in rows if not row["is_readable"]}
        for action_sudo in self.env["amazon.action"].sudo().browse(closed):
            closed[action_sudo.id].update(
                set_aside_message=False,
                feed_set_aside_message=False,
                feed_drop_message=False,
                state_message=self.env._(
                    "%(user)s asked for it in a document that you cannot open. "
                    "%(known)s",
                    user=action_sudo.user_id.name,
                    # as in the journal: without what may name a buyer
                    known=action_sudo._journal_message() or "",
                ),
            )

    def _can_drop(self, row):
        """Whether Amazon may still be asked not to process the feed of an action."""
        return (
            row["state"] == "submitted"
            and row["feed_processing_status"] == "IN_QUEUE"
            and not row["feed_drop_message"]
            and not row["feed_is_adopted"]
        )

    # === READING === #

    def _read_rows(self, order):
        """Read the items and the actions of the order in one query.

        :param amazon.order order: the order, in sudo mode
        :return: a row for each charge by item, and a row for each action, the newest
            first
        :rtype: tuple[list[dict], list[dict]]
        """
        for model in ("order.line", "order.charge", "order.refund", "action.line"):
            self.env[f"amazon.{model}"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT TRUE, to_jsonb(charge) FROM (%s) AS charge
                UNION ALL
                SELECT FALSE, to_jsonb(action) FROM (%s) AS action
                """,
                self._charges_sql(order),
                self._actions_sql(order),
            )
        )
        charges = [row for is_charge, row in rows if is_charge]
        actions = [row for is_charge, row in rows if not is_charge]
        for row in actions:
            for name in DATETIMES:
                row[name] = row[name] and datetime.fromisoformat(row[name])
        charges.sort(key=lambda row: (row["line_id"] or 0, row["charge_id"] or 0))
        actions.sort(key=lambda row: row["id"], reverse=True)
        return charges, actions

    def _charges_sql(self, order):
        """Return a select of each charge of each item, with what was refunded of it and
        what is reserved; at least one row."""
        return SQL(
            """
            SELECT line.id AS line_id,
                   charge.id AS charge_id,
                   line.title,
                   line.sku,
                   COALESCE(line.quantity_ordered, 0) AS quantity_ordered,
                   COALESCE(line.quantity_fulfilled, 0) AS quantity_fulfilled,
                   COALESCE(line.quantity_cancelled, 0) AS quantity_cancelled,
                   COALESCE(line.quantity_unfulfillable, 0) AS quantity_unfulfillable,
                   line.cancel_requested,
                   line.cancel_request_reason,
                   COALESCE(charge.charged, 0) AS charged,
                   (SELECT COALESCE(SUM(refund.amount), 0)
                      FROM amazon_order_refund refund
                     WHERE refund.charge_id = charge.id) AS refunded,
                   (SELECT COALESCE(SUM(asked.amount), 0)
                      FROM amazon_action_line asked
                      JOIN amazon_action action ON action.id = asked.action_id
                     WHERE asked.charge_id = charge.id
                       AND asked.is_rejected IS NOT TRUE
                       AND action.state IN %(reserving)s) AS reserved,
                   (SELECT COALESCE(SUM(refund.amount), 0)
                      FROM amazon_order_refund refund
                     WHERE refund.order_id = %(order)s) AS refunded_of_order,
                   (SELECT jsonb_build_object('amount', SUM(refund.amount),
                                              'posted_at', MAX(refund.posted_at))
                      FROM amazon_order_refund refund
                     WHERE refund.order_id = %(order)s
                       AND refund.action_id IS NULL) AS refunded_elsewhere
              FROM (SELECT %(order)s AS id) amazon_order
              LEFT JOIN amazon_order_line line ON line.order_id = amazon_order.id
              LEFT JOIN amazon_order_charge charge ON charge.line_id = line.id
            """,
            order=order.id,
            reserving=RESERVING_STATES,
        )

    def _actions_sql(self, order):
        """Return a select of each action with its feed, and of whether the user may
        read it."""
        actions_sudo = self.env["amazon.action"].sudo()
        readable = actions_sudo.sudo(False)._search([("order_id", "=", order.id)])
        query = actions_sudo._search([("order_id", "=", order.id)])
        feed = query.left_join(query.table, "feed_id", "amazon_feed", "id", "feed_id")
        columns = self._columns(query)
        feeds_sudo = self.env["amazon.feed"].sudo()
        for name in FEED_FIELDS:
            sql = feeds_sudo._field_to_sql(feed, name, query)
            columns[f"feed_{name}"] = sql
        columns["is_readable"] = SQL(
            "%s IN %s", SQL.identifier(query.table, "id"), readable.subselect()
        )
        return query.select(
            *(
                SQL("%s AS %s", sql, SQL.identifier(name))
                for name, sql in columns.items()
            )
        )

    def _columns(self, query):
        """Return what is read of each action, by name; sections add their own.

        :param Query query: of the actions, to be joined with what belongs to them
        :rtype: dict[str, SQL]
        """
        actions_sudo = self.env["amazon.action"].sudo()
        columns = {
            name: actions_sudo._field_to_sql(query.table, name, query)
            for name in ACTION_FIELDS
        }
        for section in self.env["amazon.panel.section"].sudo()._all():
            columns |= section._columns(query)
        return columns


def _known(row):
    """Return what is known of an action, and why it stands still."""
    aside = row["set_aside_message"]
    if row["state"] in OPEN_STATES:
        aside = aside or row["feed_set_aside_message"]
    return f"{aside} {row['state_message']}" if aside else row["state_message"]
