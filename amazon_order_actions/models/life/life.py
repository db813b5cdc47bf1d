import re
import secrets
import socket
from contextlib import contextmanager

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import ConcurrencyError, UserError
from odoo.tools import LazyTranslate

from ..action.states import BEFORE_SENDING
from ..base.background import in_background, in_own_transaction
from ..base.clock import database_now
from ..base.private_log import private_logger
from ..holding.gatekeeper import NotNow
from ..watch.check import Check, Finding
from . import life_record

_lt = LazyTranslate(__name__)

_logger = private_logger(__name__)

# Base32 without what people mistake for each other.
TOKEN_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ234567"  # noqa: S105
TOKEN_LENGTH = 4

# There is no record yet, and nothing that it would have to tell of.
FIRST = "first"


class AmazonLife(models.Model):
    """One life of this database: from its first sending, or from the moment when it was
    found to be a restored backup, a copy or a moved database, until the next time.

    A record outside of every dump (`life_record`) says how far this database had come.
    Before each call that cannot be repeated the database takes a sending number,
    commits it, and writes it into the record. A database that is behind its record, or
    that has sent before and has none, is not the one that sent last: another one may
    have sent what waits here, or still does. Then all its accounts stop, until an
    administrator decides (`amazon.stop`).
    """

    _name = "amazon.life"
    _inherit = "amazon.own.defaults"
    _description = "Life of the Database at Amazon"
    _order = "id desc"
    _rec_name = "token"

    token = fields.Char(required=True, readonly=True, help="Stands in new references.")
    began_at = fields.Datetime(required=True, readonly=True)
    finding = fields.Selection(
        [
            ("behind", "Behind its record"),
            ("no_record", "Without a record"),
            ("other_life", "The record is of another life"),
        ],
        readonly=True,
        help="What was found when it began. Empty: the first one.",
    )

    # === BUSINESS METHODS - CHECKING === #

    @api.model
    def _check(self):
        """Compare this database with its record on this host, and stop its accounts
        where it is not the one that sent last.

        :return: whether it may go on
        :rtype: bool
        :raise RecordUnusable: where the record cannot be read or written here
        """
        life_record.check(self._database())
        is_in_order = self._settle(life_record.read(self._database()))
        if is_in_order:
            newest = in_own_transaction(self._of_program(), "_newest_asked")
            life_record.note_asked(self._database(), newest)
        return is_in_order

    def _newest_asked(self):
        """Return the id of the newest action that somebody asked for, 0 for none."""
        # Not of samples: they can be removed, and nothing of theirs can be lost
        domain = [("account_id.is_sample", "=", False)]
        newest = self.env["amazon.action"].search(domain, order="id desc", limit=1)
        return newest.id or 0

    @api.model
    def _note_asked(self, action):
        """Write down that an action is asked for, once it is committed. A backup from
        before it is then noticed though nothing was sent since, and no reference is
        given a second time.

        :param amazon.action action: asked for in this transaction
        """
        if action.account_id.is_sample:
            return
        database, newest = self._database(), action.id

        def note():
            try:
                life_record.note_asked(database, newest)
            except life_record.RecordUnusable as error:
                # The next dispatch writes it down, or says that nothing leaves.
                _logger.error("The record cannot be written: %s", error)

        self.env.cr.postcommit.add(note)

    @api.model
    def _let_leave(self, account):
        """Write down that a call which cannot be repeated leaves now, then compare.

        :param amazon.seller.account account: whose call it is
        :return: whether it may leave; where not, nothing has left
        :rtype: bool
        """
        lives = self._of_program()
        if account.sudo().is_sample:
            return True
        key = self._seller_key(account)
        try:
            number = in_own_transaction(lives, "_take_number", key)
            record = life_record.note(self._database(), key, number)
            # Each number is taken once: who else has written it is another database.
            is_taken = bool(record) and number in record.numbers.values()
            return self._settle(record, is_taken and record.token)
        except life_record.RecordUnusable as error:
            _logger.error("The record of what was sent cannot be written: %s", error)
            return False

    @api.model
    def _check_at_first(self):
        """Compare once in each process, before the first reference of it is made: the
        references of a new life are not those of the former one.

        :raise UserError: where the accounts were stopped just now, so that the
            transaction of the click is too old to see it
        :raise ConcurrencyError: where somebody else has stopped them since this
            transaction began; Odoo runs the request again, which then sees it
        """
        registry = self.env.registry
        if getattr(registry, "_amazon_life_checked", False):
            # Another click of this process, which may have begun before.
            self._refuse_too_old(getattr(registry, "_amazon_life_token", None))
            return
        try:
            is_in_order = self._check()
            record = life_record.read(self._database())
        except life_record.RecordUnusable as error:
            # Asking needs no record, sending does.
            _logger.error("The record of what was sent is out of reach: %s", error)
            return
        if not is_in_order:
            # Asked again by the next click: somebody else may not have committed yet
            # what begins with the new life.
            raise UserError(
                self.env._(
                    "Odoo has just found that this database was restored, copied or "
                    "moved, and has stopped sending to Amazon. Nothing was recorded. "
                    "Ask again; it then waits for an administrator's decision."
                )
            )
        if record:
            self._refuse_too_old(record.token)
            lives = self._of_program()
            was_found = in_own_transaction(lives, "_was_found", record.token)
            registry._amazon_life_token = record.token if was_found else None
        registry._amazon_life_checked = True

    def _refuse_too_old(self, token):
        """Refuse a transaction that does not see yet the life of that token: it would
        make a reference of the former one. The first life, of which nothing was found,
        changes no references.

        :raise ConcurrencyError: Odoo runs the request again
        """
        lives = self._of_program()
        if not token or lives.search_count([("token", "=", token)], limit=1):
            return
        if in_own_transaction(lives, "_was_found", token):
            raise ConcurrencyError("A new life of this database has begun")

    def _was_found(self, token):
        """Whether the life of that token began with a finding."""
        domain = [("token", "=", token), ("finding", "!=", False)]
        return bool(self.search_count(domain, limit=1))

    @api.model
    def _check_in_watch(self):
        """Compare also where nothing is sent. Never fails: the watch has more to do."""
        try:
            self._check()
        except life_record.RecordUnusable as error:
            # the watch says so by itself
            _logger.error("The record of what was sent is out of reach: %s", error)
        except Exception:
            _logger.exception("The database could not be compared with its record")

    @api.model
    def _problem(self):
        """Return why nothing may leave from this host, or False.

        :rtype: str | bool
        """
        try:
            life_record.check(self._database())
            life_record.read(self._database())
        except life_record.RecordUnusable as error:
            return self.env._(
                "Nothing is sent to Amazon from the server %(host)s: it cannot write "
                "down what it sends (%(problem)s). An administrator must make the "
                "folder %(folder)s writable for Odoo.",
                host=socket.gethostname(),
                problem=str(error),
                folder=life_record.folder(),
            )
        return False

    def _database(self):
        return self.env.cr.dbname

    def _of_program(self):
        """Return this model as the program itself works on it, whoever clicked."""
        return self.with_env(self.env(user=SUPERUSER_ID, context={}))

    def _take_number(self, key):
        """Return the number of the next sending, in a transaction of its own."""
        return self.env["amazon.sending"].create({"seller_key": key}).id

    def _settle(self, record, taken=False):
        """Judge what stood in the record; begin a new life where that says so.

        The record must have been read before: what others send meanwhile is committed
        here before it stands there.

        :param Record record: what stood there, None where there is none
        :param str taken: the token that stood there beside a number that another
            database had taken, too
        :return: whether this database may go on
        :rtype: bool
        """
        lives = self._of_program()
        if not in_own_transaction(lives, "_find", record, taken):
            return True
        with self._alone() as is_alone:
            # Somebody else may have begun it meanwhile, or does at this moment.
            record = life_record.read(self._database())
            return is_alone and in_own_transaction(lives, "_begin", record, taken)

    @contextmanager
    def _alone(self):
        """Keep all others from beginning a life; nobody waits for it."""
        with self.env.registry.cursor() as cr:
            cr.execute(
                "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))",
                ["amazon_order_actions/life"],
            )
            yield cr.fetchone()[0]

    def _find(self, record, taken=False):
        """Say what the record tells of this database.

        :param Record record: what stands there, None where there is none
        :param str taken: see `_settle`
        :return: what was found; None where all is in order
        :rtype: str | None
        """
        if not record:
            return "no_record" if self._concerned({}) else FIRST
        if record.token not in self.search([]).mapped("token"):
            return "other_life" if self._concerned(record.numbers) else FIRST
        newest = self.env["amazon.sending"].search([], order="id desc", limit=1)
        is_behind = (
            record.last_number() > newest.id
            or record.asked > self._newest_asked()
            or record.token == taken
        )
        return "behind" if is_behind else None

    def _concerned(self, numbers):
        """Return the accounts that have sent, by this database or by the record.

        :param dict numbers: of the record
        :rtype: amazon.seller.account
        """
        accounts = self.env["amazon.seller.account"].with_context(active_test=False)
        return accounts.search([("is_sample", "=", False)]).filtered(
            lambda account: (
                self._seller_key(account) in numbers or self._has_sent(account)
            )
        )

    def _seller_key(self, account):
        """Return what a seller is at Amazon, whatever the account is called here.

        :param amazon.seller.account account: the account
        :rtype: str
        """
        account_sudo = account.sudo()
        names = ["seller_id", "region", "environment"]
        if account_sudo.environment == "simulator":
            names.append("simulator_url")
        return " ".join(account_sudo[name] or "" for name in names)

    def _has_sent(self, account):
        """Whether this database has sent something for an account.

        :param amazon.seller.account account: the account
        :rtype: bool
        """
        of_account = ("account_id", "=", account.id)
        return bool(
            self.env["amazon.sending"].search_count(
                [("seller_key", "=", self._seller_key(account))], limit=1
            )
            or self.env["amazon.feed"].search_count([of_account], limit=1)
            or self.env["amazon.call"].search_count([of_account], limit=1)
        )

    def _with_waiting(self):
        """Return the accounts of which something waits: another life may have sent it,
        though it had sent nothing for them as far as is known here.

        :rtype: amazon.seller.account
        """
        groups = self.env["amazon.action"]._read_group(
            [("state", "in", BEFORE_SENDING), ("account_id.is_sample", "=", False)],
            ["account_id"],
        )
        return self.env["amazon.seller.account"].union(
            *(account for (account,) in groups)
        )

    # === BUSINESS METHODS - A NEW LIFE === #

    def _begin(self, record, taken=False):
        """Begin a new life where the record says so, and stop the accounts: all in one
        transaction, whose last act is to write the record.

        :param Record record: what stands there, None where there is none
        :param str taken: see `_settle`
        :return: whether this database may go on
        :rtype: bool
        """
        finding = self._find(record, taken)
        if not finding:
            return True
        numbers = record.numbers if record else {}
        if finding == FIRST:
            life = self.search([], limit=1) or self._create_life(False)
            life_record.start(self._database(), life.token)
            return True
        accounts = self._concerned(numbers) | self._with_waiting()
        life = self._create_life(finding)
        life._mark_references(self.search([]) - life)
        life._go_beyond(max(numbers.values(), default=0), accounts)
        for account in accounts:
            in_background(life, account.company_id)._stop(account.id)
        self._enqueue_tell_life(accounts.company_id)
        _logger.warning("A new life %s of this database: %s", life.token, finding)
        # Where the commit fails now, the token is unknown here: found again.
        numbers = {self._seller_key(account): 0 for account in accounts}
        life_record.begin(self._database(), life.token, numbers)
        return False

    def _stop(self, account_id):
        """Stop an account since this life began by what was found; an earlier stop of
        that sort gives way to this one.

        :param int account_id: id of the account
        """
        account = self.env["amazon.seller.account"].browse(account_id)
        stops = self.env["amazon.stop"]
        former = stops.search(
            [
                ("account_id", "=", account.id),
                ("needs_decision", "=", True),
                ("ended_at", "=", False),
            ]
        )
        former.write(
            {
                "ended_at": database_now(self.env),
                "end_reason": self.env._("Found again before anybody had decided."),
            }
        )
        former._journal("stopped", "resumed", former[:1].end_reason)
        former.flush_recordset()
        stops._open(account.company_id, self._reason(), account, needs_decision=True)
        # What waits now was asked for before, whatever clock says otherwise.
        self.env["amazon.action"].search(
            [
                ("account_id", "=", account.id),
                ("state", "in", BEFORE_SENDING),
                ("asked_at", ">", self.began_at),
            ]
        ).asked_at = self.began_at
        account._note_life(self.began_at)

    def _enqueue_tell_life(self, companies):
        for company in companies:
            in_background(self.browse(), company).with_delay(
                priority=1, description="Tell that this database was restored or moved"
            )._job_tell_life(company.id)

    @api.model
    def _job_tell_life(self, company_id):
        """Tell the administrators of a company what was found. Job; safe to run twice.

        What this misses, the watch tells within minutes.

        :param int company_id: id of the company
        """
        accounts = self.env["amazon.seller.account"].with_context(active_test=False)
        found = self.env["amazon.check.life"]._find_life(
            accounts.search([("company_id", "=", company_id)])
        )
        self.env["amazon.alarm"]._report("life", found)

    def _create_life(self, finding):
        token = "".join(secrets.choice(TOKEN_LETTERS) for _ in range(TOKEN_LENGTH))
        now = database_now(self.env)
        return self.create({"token": token, "began_at": now, "finding": finding})

    def _mark_references(self, former):
        """Put the token into the references from now on, instead of that of a former
        life: Amazon must never be given one a second time for something else."""
        sequence = self.env.ref(
            "amazon_order_actions.sequence_amazon_action", raise_if_not_found=False
        )
        if not sequence:
            return
        prefix = sequence.prefix or ""
        for life in former:
            prefix = re.sub(rf"\b{life.token}-", "", prefix)
        base, year, rest = prefix.partition("%(")
        sequence.prefix = f"{base}{self.token}-{year}{rest}"

    def _go_beyond(self, number, accounts):
        """Let the next sending numbers be above all that stand in the record."""
        self.env.cr.execute(
            "SELECT setval('amazon_sending_id_seq', GREATEST(last_value, %s)) "
            "FROM amazon_sending_id_seq",
            [number],
        )
        for key in {self._seller_key(account) for account in accounts}:
            self._take_number(key)

    def _reason(self):
        """Say what was found."""
        values = {
            "database": self._database(),
            "host": socket.gethostname(),
            "token": self.token,
        }
        if self.finding == "behind":
            return self.env._(
                "The database %(database)s was restored from a backup: the record on "
                "%(host)s tells of more than the database knows. What waits here may "
                "have been sent. New references contain %(token)s.",
                **values,
            )
        if self.finding == "other_life":
            return self.env._(
                "The record on %(host)s tells of sendings that the database "
                "%(database)s does not know: it was restored from a backup, or another "
                "database had its name. What waits here may have been sent. New "
                "references contain %(token)s.",
                **values,
            )
        return self.env._(
            "The database %(database)s has sent before, and %(host)s has no record of "
            "it: it was moved or renamed, restored from a backup, or copied. Another "
            "database may send what waits here. New references contain %(token)s.",
            **values,
        )


class AmazonSending(models.Model):
    """The number of one call that cannot be repeated: of each createFeed, and of each
    call of its own. The number is the row's id."""

    _name = "amazon.sending"
    _inherit = "amazon.own.defaults"
    _description = "Number of a Sending to Amazon"
    _order = "id desc"

    seller_key = fields.Char("Seller", required=True, readonly=True, index=True)


class AmazonGatekeeperLife(models.AbstractModel):
    """Nothing leaves from a database that is not the one that sent last."""

    _name = "amazon.gatekeeper.life"
    _inherit = "amazon.gatekeeper"
    _description = "Amazon Gatekeeper of the Life"

    _place = 10

    def _make_ready(self):
        try:
            return self.env["amazon.life"]._check()
        except life_record.RecordUnusable as error:
            raise NotNow(f"The record cannot be written: {error}") from None

    def _problem(self):
        return self.env["amazon.life"]._problem()

    def _let_leave(self, account):
        return self.env["amazon.life"]._let_leave(account)

    def _before_asking(self):
        self.env["amazon.life"]._check_at_first()

    def _note_asked(self, action):
        self.env["amazon.life"]._note_asked(action)

    def _verify_first(self, actions):
        self.env["amazon.lost.time"]._doubt(actions)

    def _verify_on(self, actions):
        self.env["amazon.lost.time"]._enqueue(actions)

    def _let_wait_again(self, actions, reason):
        self.env["amazon.lost.time"]._let_wait_again(actions, reason)

    def _decision_dialog(self, account):
        stops = self.env["amazon.stop"]._open_of(account).with_env(self.env)
        stops._check_admin(account.sudo().company_id)
        stop = stops.filtered("needs_decision")[:1]
        if not stop:
            return False
        decision = self.env["amazon.life.decision"].create({"stop_id": stop.id})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("What Is This Database?"),
            "res_model": decision._name,
            "res_id": decision.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
        }


class AmazonCheckLife(models.AbstractModel):
    """Finds databases that are not the one that sent last."""

    _name = "amazon.check.life"
    _inherit = "amazon.check"
    _description = "Amazon Checks of the Life"

    _checks = (
        Check("life", _lt("Database restored, copied or moved"), on_panel=True),
        Check("life_record", _lt("Record of sendings out of reach"), on_panel=True),
    )

    @api.model
    def _before_watch(self):
        """Override: whether this database is the one that sent last."""
        self.env["amazon.life"]._check_in_watch()

    def _find_life(self, accounts):
        """This database was found not to be the one that sent last. Enqueues what
        verifies it."""
        self.env["amazon.lost.time"]._mend(accounts)
        stops = self.env["amazon.stop"]._open_of(accounts)
        stops = stops.filtered(lambda stop: stop.needs_decision and not stop.decision)
        return [
            Finding(
                stop.account_id,
                self.env["amazon.action"].search_count(
                    [("account_id", "=", stop.account_id.id), ("state", "=", "queued")]
                ),
                self.env._(
                    "%(reason)s Nothing leaves for this account until an administrator "
                    "decides what it is: open the account and choose Decide.",
                    reason=stop.reason,
                ),
                stop.started_at,
            )
            for stop in stops
        ]

    def _find_life_record(self, accounts):
        """This host cannot write down what it sends, so nothing leaves from it."""
        problem = self.env["amazon.life"]._problem()
        if not problem:
            return []
        return [Finding(self.env["amazon.seller.account"], 1, problem)]
