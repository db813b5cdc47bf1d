from datetime import timedelta
from pathlib import Path

from odoo import fields
from odoo.fields import Command
from odoo.http import _generate_routing_rules
from odoo.tools import SQL

from .common import AmazonCommon
from .permission_table import PERSONAS, STOCK

# In every text of the other company's records: nobody without access may be told it.
CANARY = "Zaunkoenig"
# Its amounts, which occur nowhere else.
CANARY_AMOUNTS = (7331.77, 7331.5)
GERMANY = "A1PA6795UKMFR9"
KINDS = (
    "refund",
    "cancel",
    "cancel_items",
    "mcf_cancel",
    "ship",
    "order_number",
    "mcf_update",
    "message",
)
# The orders of a company: channel and status. All that was asked for is about "busy".
ORDERS = {
    "shipped": ("fbm", "SHIPPED"),
    "unshipped": ("fbm", "UNSHIPPED"),
    "mcf": ("mcf", "UNSHIPPED"),
    "fba": ("fba", "SHIPPED"),
    "busy": ("fbm", "SHIPPED"),
}


# The dialogs, the order that each is opened on, and what is filled in.
DIALOGS = {
    "amazon.refund.request": (
        "shipped",
        {"reason": "CustomerReturn", "is_second_meant": True},
    ),
    "amazon.cancel.request": ("unshipped", {"reason": "NoInventory"}),
    "amazon.edit.request": ("unshipped", {}),
    "amazon.ship.request": (
        "unshipped",
        {"carrier_code": "DHL", "tracking_number": "1"},
    ),
    "amazon.order_number.request": ("unshipped", {"merchant_order_id": "N-1"}),
    "amazon.fulfillment.cancel.request": ("mcf", {}),
    "amazon.fulfillment.request": ("mcf", {"new_speed": "Expedited"}),
    "amazon.reply.request": ("shipped", {"way": "mail"}),
}

# The dialogs that are about something else, and what they are filled in with.
OTHER_DIALOGS = {
    "amazon.unknown.decision": lambda side: {
        "action_id": side.unknown_refund.id,
        "note": "Seen.",
    },
    "amazon.approval.decision": lambda side: {
        "approval_id": side.approval.id,
        "refusal_reason": "A reason",
    },
    "amazon.audit.export": lambda side: {"company_id": side.company.id},
    "amazon.audit.settings": lambda side: {
        "company_id": side.company.id,
        "anchor_emails": "a@example.com",
        "retention_days": 4000,
    },
    "amazon.health.settings": lambda side: {"company_id": side.company.id},
    "amazon.evidence.request": lambda side: {
        "order_id": side.busy.id,
        "language": "en",
    },
    "amazon.authority.check": lambda side: {"company_id": side.company.id},
    "amazon.sample.request": lambda side: {
        "company_id": side.company.id,
        "simulator_url": "http://127.0.0.1:9",
    },
    "amazon.stop.request": lambda side: {
        "company_id": side.company.id,
        "account_id": side.spare_account.id,
        "kind": "refund",
        "reason": "A reason",
    },
    "amazon.life.decision": lambda side: {
        "stop_id": side.life_stop.id,
        "decision": "moved",
        "reason": "A reason",
    },
    "amazon.stop.end.request": lambda side: {
        "stop_ids": [Command.set(side.stop.ids)],
        "reason": "A reason",
    },
}


class Side(dict):
    """One company with a record of everything, by name."""

    __getattr__ = dict.__getitem__


class PermissionWorld(AmazonCommon):
    """Two companies with the same records, and a person of each kind.

    Each person exists twice: ``single`` has access to the first company alone,
    ``double`` to both, and chooses which of them is active.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # of this repository, those that are installed: some install themselves
        here = Path(__file__).parents[2]
        cls.addons = [
            name
            for name in sorted(cls.env.registry._init_modules)
            if (here / name / "__manifest__.py").is_file()
        ]
        cls.code = tuple(f"odoo.addons.{name}." for name in cls.addons)
        cls.other_company = cls._create_company(name="Other Test")
        cls.env.user.company_ids += cls.other_company
        both = cls.company + cls.other_company
        cls.env = cls.env(context=dict(cls.env.context, allowed_company_ids=both.ids))
        cls.colleague = cls.agent
        cls.own = cls._create_side(cls.company, "30", "Amsel", 19.99)
        cls.other = cls._create_side(cls.other_company, "40", CANARY, 7331.77)
        cls.single = cls._create_personas("single", cls.company)
        cls.double = cls._create_personas("double", both)
        # Followers of the tickets of both companies, and members of both teams.
        users = (cls.single, cls.double)
        followers = [of[name] for of in users for name in ("portal", "staff")]
        members = [of[name] for of in users for name in ("own", "team")]
        for side in (cls.own, cls.other):
            for user in members:
                user.helpdesk_team_ids = [Command.link(side.team.id)]
            for name in ORDERS:
                side[f"ticket_{name}"].message_subscribe(
                    [user.partner_id.id for user in followers]
                )
        cls.env.flush_all()
        cls.env.invalidate_all()

    @classmethod
    def _create_personas(cls, suffix, companies):
        """Create the person of each column, all at once and without a password: to hash
        one takes long."""
        users = cls.env["res.users"].with_context(no_reset_password=True)
        personas = {
            name: groups
            for name, groups in PERSONAS.items()
            if STOCK not in groups or cls.with_stock()
        }
        created = users.create(
            [
                {
                    "name": f"{name} {suffix}",
                    "login": f"matrix_{name}_{suffix}",
                    "company_id": cls.company.id,
                    "company_ids": [Command.set(companies.ids)],
                    "group_ids": [
                        Command.set([cls.env.ref(group).id for group in groups])
                    ],
                }
                for name, groups in personas.items()
            ]
        )
        return dict(zip(personas, created, strict=True))

    @classmethod
    def with_stock(cls):
        """Whether deliveries are there, which are held for a cancellation."""
        return "amazon_order_stock" in cls.addons

    def routes(self):
        """Return the routes that our addons answer."""
        return {
            route
            for route, endpoint in _generate_routing_rules(self.addons, nodb_only=False)
            if endpoint.func.__module__.startswith(self.code)
        }

    # === RECORDS === #

    @classmethod
    def _create_side(cls, company, number, word, price):
        """Create a record of everything in a company.

        :param str number: two digits that the numbers of its orders begin with
        :param str word: stands in every text
        :param float price: of every item
        """
        side = Side(company=company, number=number, word=word, price=price)
        side["account"] = (
            cls.account
            if company == cls.company
            else cls._create_account(
                name=f"{word} account", company_id=company.id, seller_id=f"A{number}"
            )
        )
        side.account.approved_sender = f"{word}@example.com".lower()
        side["spare_account"] = cls._create_account(
            name=f"{word} spare", company_id=company.id, seller_id=f"B{number}"
        )
        side["sample"] = cls._create_account(
            name=f"{word} sample",
            company_id=company.id,
            seller_id=f"C{number}",
            is_sample=True,
        )
        side["partner"] = cls.env["res.partner"].create(
            {
                "name": f"{word} buyer",
                "email": f"{word}@marketplace.amazon.de".lower(),
                "company_id": company.id,
            }
        )
        side["team"] = cls.env["helpdesk.ticket.team"].create(
            {"name": f"{word} team", "company_id": company.id}
        )
        cls._create_orders(side)
        cls._create_documents(side)
        cls._create_feed(side)
        cls._create_actions(side)
        cls._create_others(side)
        shipped = cls.env["amazon.reply.template"].search([], limit=1)
        side["mail"] = cls.env["mail.mail"].create({"amazon_reply_digest": "0"})
        side["template"] = shipped.copy({"company_id": company.id})
        side["host_clock"] = cls.env["amazon.host.clock"].create(
            {"host": word, "ahead_seconds": 60, "noted_at": fields.Datetime.now()}
        )
        side["move"] = cls.env["account.move"].create(
            {
                "move_type": "out_refund",
                "company_id": side.company.id,
                "journal_id": cls.env["account.journal"]
                .create(
                    {
                        "name": f"{side.word} sales",
                        "code": f"S{side.number}",
                        "type": "sale",
                        "company_id": side.company.id,
                    }
                )
                .id,
                "amazon_action_id": side.queued_refund.id,
            }
        )
        side["reply"] = cls.env["amazon.reply"].create(
            {
                "action_id": side.queued_refund.id,
                "awaited_state": "confirmed",
                "lang": "en",
            }
        )
        return side

    @classmethod
    def _create_orders(cls, side):
        now = fields.Datetime.now()
        for digit, (name, (channel, status)) in enumerate(ORDERS.items()):
            side[name] = cls.env["amazon.order"].create(
                {
                    "amazon_order_ref": f"{side.number}{digit}-0000000-0000000",
                    "account_id": side.account.id,
                    "company_id": side.company.id,
                    "marketplace": GERMANY if channel != "mcf" else False,
                    "channel": channel,
                    "fulfillment_status": status,
                    "currency_id": cls.env.ref("base.EUR").id,
                    "read_state": "read",
                    "read_at": now,
                    "known_until": now,
                    "finances_state": "read",
                    "purchased_at": now - timedelta(days=3),
                    "cancel_request_reason": f"{side.word} reason",
                    "is_fulfillment_order": channel == "mcf",
                    "mcf_status": "RECEIVED" if channel == "mcf" else False,
                }
            )
            line = cls.env["amazon.order.line"].create(
                {
                    "order_id": side[name].id,
                    "amazon_item_ref": f"{side.number}{digit}",
                    "sku": f"{side.word}-{digit}",
                    "title": f"{side.word} item",
                    "quantity_ordered": 2,
                    "quantity_open": 0 if status == "SHIPPED" else 2,
                    "quantity_at_first": 2,
                    "quantity_fulfilled": 2 if status == "SHIPPED" else 0,
                }
            )
            cls.env["amazon.order.charge"].create(
                {"line_id": line.id, "component": "Principal", "charged": side.price}
            )
        side["refund"] = cls.env["amazon.order.refund"].create(
            {
                "order_id": side.busy.id,
                "charge_id": side.busy.charge_ids.id,
                "amount": 0.5,
                "posted_at": now,
                "event_key": f"{side.word}",
            }
        )

    @classmethod
    def _create_documents(cls, side):
        for name in (*ORDERS, "bare"):
            ref = name in side and side[name].amazon_order_ref
            side[f"ticket_{name}"] = cls.env["helpdesk.ticket"].create(
                {
                    "name": f"{side.word} title",
                    "description": f"<p>{side.word} text</p>",
                    "company_id": side.company.id,
                    "team_id": side.team.id,
                    "user_id": False,
                    "partner_id": side.partner.id,
                    "partner_email": side.partner.email,
                    "amazon_order_ref": ref,
                }
            )
            if not ref:
                side["note"] = side[f"ticket_{name}"].message_post(
                    body=side.word, subtype_xmlid="mail.mt_note"
                )
                continue
            side[f"sale_{name}"] = cls.env["sale.order"].create(
                {
                    "partner_id": side.partner.id,
                    "company_id": side.company.id,
                    "amazon_order_ref": ref,
                    "user_id": False,
                }
            )
        if cls.with_stock():
            cls._create_picking(side)

    @classmethod
    def _create_picking(cls, side):
        warehouse = cls.env["stock.warehouse"].search(
            [("company_id", "=", side.company.id)], limit=1
        )
        product = cls.env["product.product"].create(
            {"name": f"{side.word} goods", "is_storable": True}
        )
        side["picking"] = cls.env["stock.picking"].create(
            {
                "picking_type_id": warehouse.out_type_id.id,
                "location_id": warehouse.lot_stock_id.id,
                "location_dest_id": cls.env.ref("stock.stock_location_customers").id,
                "company_id": side.company.id,
                "move_ids": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "company_id": side.company.id,
                            "product_uom_qty": 1,
                            "location_id": warehouse.lot_stock_id.id,
                            "location_dest_id": cls.env.ref(
                                "stock.stock_location_customers"
                            ).id,
                        }
                    )
                ],
            }
        )
        side.picking.action_confirm()

    @classmethod
    def _create_feed(cls, side):
        side["feed"] = cls.env["amazon.feed"].create(
            {
                "account_id": side.account.id,
                "marketplace": GERMANY,
                "feed_type": "POST_PAYMENT_ADJUSTMENT_DATA",
                "state": "submitted",
                "state_message": f"{side.word} state",
                "feed_ref": f"{side.word}-feed",
                "processing_status": "IN_QUEUE",
                "message_count": 1,
            }
        )
        for name, kind in (("payload", "feed"), ("report", "report")):
            content = f"<x>{side.word}</x>".encode()
            side.feed[f"{name}_file_id"] = side.feed._keep_file(kind, content)
        side["file"] = cls.env["amazon.file"]._keep(
            side.ticket_busy,
            side.company,
            "pack",
            f"{side.word}.pdf",
            side.word.encode(),
            mimetype="application/pdf",
        )

    @classmethod
    def _create_actions(cls, side):
        """Create an action of each kind in each state that a person may act on."""
        for kind in KINDS:
            side[f"queued_{kind}"] = cls._create_action(side, kind, "queued")
            side[f"unknown_{kind}"] = cls._create_action(
                side, kind, "unknown", needs_person=True
            )
        side["rejected_refund"] = cls._create_action(side, "refund", "rejected", "fba")
        side["in_feed_refund"] = cls._create_action(
            side, "refund", "submitted", feed_id=side.feed.id
        )
        side["waiting_refund"] = cls._create_action(
            side,
            "refund",
            "to_approve",
            "shipped",
            approval_ids=[
                Command.create(
                    {
                        "why": f"{side.word} limit",
                        "expires_at": fields.Datetime.now() + timedelta(days=1),
                    }
                )
            ],
        )
        side["approval"] = side.waiting_refund.approval_id
        side["cancelled"] = cls._create_action(side, "cancel", "rejected")
        side["call"] = cls._create_call(side)
        if cls.with_stock():
            side.picking.amazon_hold_ids = side.cancelled

    @classmethod
    def _create_call(cls, side):
        action = side.unknown_ship
        action.call_id = cls.env["amazon.call"].create(
            {
                "action_id": action.id,
                "account_id": action.account_id.id,
                "company_id": action.company_id.id,
                "state": "unknown",
                "token": f"{side.word} token",
                "operation": "confirmShipment",
                "digest": f"{side.word} digest",
                "request_ref": f"{side.word}-request",
                "sending_at": fields.Datetime.now(),
            }
        )
        return action.call_id

    @classmethod
    def _create_action(cls, side, kind, state, order="busy", **values):
        name = f"{side.word}/{kind}/{state}"
        of_money = kind == "refund"
        line = side[order].line_ids
        return cls.env["amazon.action"]._create_reserved(
            {
                "name": name,
                "kind": kind,
                "feed_type": cls.env[f"amazon.action.kind.{kind}"]._feed_type,
                "state": state,
                "state_message": f"{side.word} message",
                "last_state_change": fields.Datetime.now(),
                "order_id": side[order].id,
                "account_id": side.account.id,
                "company_id": side.company.id,
                "marketplace": side[order].marketplace,
                "currency_id": side[order].currency_id.id,
                "amount": 1.25 if of_money else 0,
                "note": f"{side.word} note",
                "user_id": cls.colleague.id,
                "asked_at": fields.Datetime.now(),
                "due_at": fields.Datetime.now() + timedelta(hours=1),
                "origin_model": "helpdesk.ticket",
                "origin_id": side[f"ticket_{order}"].id,
                "origin_name": side[f"ticket_{order}"].number,
                "nonce": name,
                "details": {"comment": side.word},
                "line_ids": [
                    Command.create(
                        {
                            "order_line_id": line.id,
                            "charge_id": line.charge_ids.id if of_money else False,
                            "amount": 1.25 if of_money else 0,
                            "quantity": 0 if of_money else 1,
                        }
                    )
                ],
                **values,
            }
        )

    @classmethod
    def _create_others(cls, side):
        now = fields.Datetime.now()
        side["alarm"] = cls.env["amazon.alarm"].create(
            {
                "company_id": side.company.id,
                "account_id": side.account.id,
                "kind": "quota",
                "since": now,
                "last_seen": now,
                "message": f"{side.word} alarm",
            }
        )
        side["entry"] = cls.env["amazon.audit.entry"]._append(
            [
                {
                    "event": "asked",
                    "company_id": side.company.id,
                    "account_id": side.account.id,
                    "message": f"{side.word} entry",
                }
            ]
        )
        side["capability"] = cls.env["amazon.seller.capability"].create(
            {
                "account_id": side.spare_account.id,
                "capability": "orders",
                "state": "works",
                "message": f"{side.word} capability",
                "checked_at": now,
            }
        )
        side["foreign_feed"] = cls.env["amazon.foreign.feed"].create(
            {
                "account_id": side.account.id,
                "feed_ref": f"{side.word}-foreign",
                "feed_type": "POST_PAYMENT_ADJUSTMENT_DATA",
                "created_at": now,
                "processing_status": f"{side.word} status",
                "first_seen_at": now,
            }
        )
        side["watermark"] = cls.env["amazon.watermark"].create(
            {
                "account_id": side.account.id,
                "subject": "orders",
                "position": now,
                "known_since": now,
                "message": f"{side.word} watermark",
            }
        )
        side["quota"] = cls.env["amazon.quota"].create(
            {
                "account_id": side.account.id,
                "operation": f"{side.word}Operation",
                "tokens": 1,
                "refilled_at": now,
                "rate": 1,
                "burst": 1,
            }
        )
        job = side.busy.with_company(side.company).with_delay()._job_read()
        side["job"] = job.db_record()
        side["failure"] = cls.env["amazon.failure"].create(
            {
                "task": "ranges",
                "subject": f"{side.word} account",
                "company_id": side.company.id,
                "account_id": side.account.id,
                "count": 1,
                "since": now,
                "last_at": now,
            }
        )
        side["stop"] = cls.env["amazon.stop"].create(
            {
                "company_id": side.company.id,
                "account_id": side.account.id,
                "kind": "ship",
                "reason": f"{side.word} stop",
                "started_at": now,
            }
        )
        side["life"] = cls.env["amazon.life"].search([], limit=1)
        if not side.life:
            side["life"] = cls.env["amazon.life"]._create_life(False)
        side["sending"] = cls.env["amazon.sending"].create({"seller_key": side.word})
        side["found_account"] = cls._create_account(
            company_id=side.company.id, seller_id=f"{side.number}FOUND"
        )
        side["life_stop"] = cls.env["amazon.stop"].create(
            {
                "company_id": side.company.id,
                "account_id": side.found_account.id,
                "reason": f"{side.word} life",
                "started_at": now,
                "needs_decision": True,
            }
        )
        hashes = dict.fromkeys(("entry_digest", "previous_hash", "hash"), side.word)
        side["link"] = cls.env["amazon.audit.link"]._insert(
            [
                {
                    "company_id": side.company.id,
                    "number": 1,
                    "entry_id": side.entry.id,
                    "sealed_at": now,
                    **hashes,
                }
            ]
        )
        side["anchor"] = cls.env["amazon.audit.anchor"]._insert(
            [
                {
                    "company_id": side.company.id,
                    "number": 1,
                    "hash": side.word,
                    "database_uuid": "database",
                    "anchored_at": now,
                }
            ]
        )
        side["user"] = cls.env["res.users"].create(
            {
                "name": side.word,
                "login": side.word,
                "company_id": side.company.id,
                "company_ids": [Command.set(side.company.ids)],
            }
        )
        for name, group in (("lender", "approve"), ("stand_in", "edit")):
            groups = (
                "helpdesk_mgmt.group_helpdesk_user",
                f"amazon_order_actions.group_{group}",
            )
            side[name] = cls.env["res.users"].create(
                {
                    "name": f"{side.word} {name}",
                    "login": f"{side.word}.{name}",
                    "company_id": side.company.id,
                    "company_ids": [Command.set(side.company.ids)],
                    "group_ids": [
                        Command.set([cls.env.ref(group).id for group in groups])
                    ],
                }
            )
        side["delegation"] = cls.env["amazon.delegation"].create(
            {
                "user_id": side.lender.id,
                "delegate_id": side.stand_in.id,
                "company_id": side.company.id,
                "date_to": now + timedelta(days=1),
                "note": f"{side.word} away",
            }
        )
        side["module"] = cls.env.ref("base.module_amazon_order_actions")
        side["uninstall"] = cls.env["base.module.uninstall"].create(
            {"module_ids": side.module.ids}
        )
        side["group"] = cls.env["res.groups"].create({"name": side.word})
        side["check"] = cls.env["amazon.audit.check"].create(
            {"company_id": side.company.id, "started_at": now, "state": "holds"}
        )
        side["careful_limit"] = side.spare_account.careful_limit_ids[0]
        side["authority"] = cls.env["amazon.authority"].create(
            {
                "company_id": side.company.id,
                "right": "message",
                "group_id": cls.env.ref("amazon_order_actions.group_message").id,
            }
        )

    @classmethod
    def _dialog_values(cls, side, model):
        """Return what opens a dialog in a company, filled in as far as it can be sent.

        :rtype: dict
        """
        if model in OTHER_DIALOGS:
            return OTHER_DIALOGS[model](side)
        order, values = DIALOGS[model]
        return {
            "order_id": side[order].id,
            "origin_model": "helpdesk.ticket",
            "origin_id": side[f"ticket_{order}"].id,
            **values,
        }

    @classmethod
    def _create_dialogs(cls, side):
        """Create a dialog of each kind, with its lines.

        :rtype: dict
        """
        dialogs = Side()
        for model in (*DIALOGS, *OTHER_DIALOGS):
            # decisions are refused even to OdooBot
            decider = {
                "amazon.approval.decision": "approve",
                "amazon.life.decision": "admin",
            }.get(model, "refund")
            dialog = cls.env[model].with_user(cls.double[decider]).sudo()
            dialogs[model] = dialog.create(cls._dialog_values(side, model))
            if "line_ids" in dialog and f"{model}.line" in cls.env:
                dialogs[f"{model}.line"] = dialogs[model].line_ids[:1]
        ref = side.shipped.amazon_order_ref
        dialogs["amazon.reply.request"].write({"subject": ref, "text": f"Text {ref}"})
        dialogs["amazon.cancel.request"].scope = "order"
        return dialogs

    @classmethod
    def _hand_over(cls, dialogs, user):
        """Make dialogs, all at once, those that a user has opened."""
        cls.env.flush_all()
        for record in dialogs.values():
            cls.env.cr.execute(
                SQL(
                    "UPDATE %s SET create_uid = %s WHERE id IN %s",
                    SQL.identifier(record._table),
                    user.id,
                    record._ids,
                )
            )
        cls.env.invalidate_all()

    # === LOOKING FOR WHAT LEAKED === #

    def leaks(self, answer):
        """Return what an answer tells of the other company: a word or an amount."""
        text = repr(answer)
        found = [CANARY] if CANARY.lower() in text.lower() else []
        found += [amount for amount in CANARY_AMOUNTS if str(amount) in text]
        if f"'{self.other.number}" in text:
            found.append("the number of an order")
        return found
