import base64
import logging
import os
from contextlib import contextmanager
from datetime import date, timedelta
from unittest.mock import patch

from cryptography.fernet import Fernet
from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import Form, tagged
from odoo.tools import config, convert_file, file_open, mute_logger

from ...models.account.seller_account import AccessTokenStore
from ...models.secrets.credentials import SECRETS, UnreadableSecret
from ...models.secrets.sealing import (
    KEYS_VARIABLE,
    KeyMissing,
    KeyUnusable,
    Unsealable,
    _keys_in_file,
    reseal,
    seal,
    sealed_at,
    unseal,
)
from ..common import SHIPPED, UNSHIPPED, AmazonOrderCommon

CREDENTIALS = "odoo.addons.amazon_order_actions.models.secrets.credentials"

# As Amazon's look: found again wherever it may have gone.
CLIENT_SECRET = "amzn1.oa2-cs.v1.0f1e2d3c4b5a"
REFRESH_TOKEN = "Atzr|IwEBI-refresh-of-the-test"

ENTERED = ("lwa_client_secret", "lwa_refresh_token")
SEALED = tuple(f"{name}_sealed" for name in SECRETS)
PLACE = [1, "field", False]


def new_key():
    return Fernet.generate_key().decode()


@contextmanager
def keys(*values):
    """Run as a server with these keys."""
    with patch.dict(os.environ, {KEYS_VARIABLE: ", ".join(values)}):
        yield


@contextmanager
def no_keys():
    """Run as a server without any key."""
    with (
        patch.dict(os.environ, {KEYS_VARIABLE: ""}),
        patch.dict(config.options, {"config": os.devnull}),
    ):
        yield


@tagged("post_install", "-at_install")
class TestSealing(AmazonOrderCommon):
    """What the keys do, and what their absence says."""

    def test_what_is_sealed_opens_in_its_place_alone(self):
        with keys(new_key()):
            sealed = seal(PLACE, "secret")
            self.assertNotIn("secret", sealed)
            self.assertEqual(unseal(PLACE, sealed), "secret")
            for other in ([2, "field", False], [1, "else", False], [1, "field", True]):
                with self.assertRaises(Unsealable):
                    unseal(other, sealed)

    def test_same_secret_never_looks_the_same(self):
        with keys(new_key()):
            self.assertNotEqual(seal(PLACE, "secret"), seal(PLACE, "secret"))

    def test_what_was_changed_does_not_open(self):
        with keys(new_key()):
            content = bytearray(base64.urlsafe_b64decode(seal(PLACE, "secret")))
            for position in (0, 8, 12, 30, len(content) - 1):
                changed = bytearray(content)
                changed[position] ^= 1
                with self.assertRaises(Unsealable):
                    unseal(PLACE, base64.urlsafe_b64encode(changed).decode())
            for text in ("", "x", "ä", "gAAAAA"):
                with self.assertRaises(Unsealable):
                    unseal(PLACE, text)

    def test_first_key_seals_and_all_open(self):
        old, new = new_key(), new_key()
        with keys(old):
            sealed = seal(PLACE, "secret")
        with keys(new, old):
            self.assertEqual(unseal(PLACE, sealed), "secret")
            resealed = reseal(sealed)
            self.assertEqual(sealed_at(resealed), sealed_at(sealed))
        with keys(new):
            self.assertEqual(unseal(PLACE, resealed), "secret")
            with self.assertRaises(Unsealable):
                unseal(PLACE, sealed)

    def test_keys_may_stand_in_the_configuration_file(self):
        path = self._write_config(f"[amazon_order_actions]\nkeys = {new_key()}\n")
        with no_keys(), patch.dict(config.options, {"config": path}):
            self.assertEqual(unseal(PLACE, seal(PLACE, "secret")), "secret")

    def test_environment_goes_before_the_configuration_file(self):
        key = new_key()
        path = self._write_config(f"[amazon_order_actions]\nkeys = {new_key()}\n")
        with keys(key), patch.dict(config.options, {"config": path}):
            sealed = seal(PLACE, "secret")
        with keys(key):
            self.assertEqual(unseal(PLACE, sealed), "secret")

    def test_server_without_a_key_says_so(self):
        with no_keys(), self.assertRaises(KeyMissing):
            seal(PLACE, "secret")

    def test_unusable_key_is_named_by_its_number_and_not_shown(self):
        for unusable in ("too-short", "ä" * 44, new_key()[:-4]):
            with keys(new_key(), unusable), self.assertRaises(KeyUnusable) as caught:
                seal(PLACE, "secret")
            self.assertEqual(caught.exception.args, (2,))
            self.assertIsNone(caught.exception.__cause__)

    def test_key_of_openssl_is_as_good(self):
        with keys(base64.b64encode(os.urandom(32)).decode()):
            self.assertEqual(unseal(PLACE, seal(PLACE, "secret")), "secret")

    def _write_config(self, text):
        path = os.path.join(config["data_dir"], f"{self._testMethodName}.conf")
        with open(path, "w") as file:
            file.write(text)
        self.addCleanup(os.unlink, path)
        self.addCleanup(_keys_in_file.cache_clear)
        return path


@tagged("post_install", "-at_install")
class TestSecrets(AmazonOrderCommon):
    """Secrets of an account go in, and come out for the strict layer alone."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.owner = cls._create_user(
            "amazon_owner",
            "base.group_system",
            "amazon_order_actions.group_admin",
        )
        cls.everybody = (cls.agent, cls.trainee, cls.auditor, cls.admin, cls.owner)
        for user in cls.everybody:
            cls.env.ref("base.group_allow_export").user_ids += user
        cls.account.write(
            {"lwa_client_secret": CLIENT_SECRET, "lwa_refresh_token": REFRESH_TOKEN}
        )
        cls.account._write({"access_token_sealed": "sealed-token"})
        cls.env.flush_all()
        cls.env.invalidate_all()

    def sealed(self, name, account=None):
        """Return what the database holds."""
        account = account or self.account
        self.env.flush_all()
        self.env.cr.execute(
            f"SELECT {name}_sealed FROM amazon_seller_account WHERE id = %s",
            [account.id],
        )
        return self.env.cr.fetchone()[0]

    def rpc(self, user, method, *args, **kwargs):
        """Call a public method as the web client and XML-RPC do."""
        model = self.env["amazon.seller.account"].with_user(user)
        return call_kw(model, method, args, kwargs)

    def assert_clean(self, content):
        """Assert that there is nothing of a secret in it, sealed or not."""
        text = str(content)
        sealed = (self.sealed(name) for name in SECRETS)
        for secret in (CLIENT_SECRET, REFRESH_TOKEN, *sealed):
            self.assertFalse(secret and secret in text)

    def assert_refused(self, call, *args, **kwargs):
        """Assert that there is no access, or that Odoo knows of no way to do it."""
        try:
            answer = call(*args, **kwargs)
        except (AccessError, ValueError) as error:
            self.assert_clean(error)
        else:
            self.fail(f"Not refused, but answered with {answer!r:.80}")

    # === AT REST === #

    def test_database_holds_no_secret_in_plain(self):
        self.env.cr.execute("SELECT * FROM amazon_seller_account")
        rows = str(self.env.cr.fetchall())
        self.assertNotIn(CLIENT_SECRET, rows)
        self.assertNotIn(REFRESH_TOKEN, rows)
        self.assertTrue(self.sealed("lwa_client_secret").startswith("gAAAA"))

    def test_access_token_is_sealed_too(self):
        self.account.write({"lwa_client_secret": "demo-secret"})
        self.account.write({"lwa_refresh_token": "Atzr|demo-refresh-token"})
        self.create_sale_order(SHIPPED)
        self.assertTrue(self.sealed("access_token").startswith("gAAAA"))
        self.assertTrue(self.account._secret("access_token").startswith("Atza|"))

    def test_white_space_around_a_secret_is_not_kept(self):
        self.account.lwa_client_secret = f" {CLIENT_SECRET}\n"
        self.assertEqual(self.account._secret("lwa_client_secret"), CLIENT_SECRET)

    def test_empty_secret_removes_it(self):
        self.account.with_user(self.admin).lwa_client_secret = False
        self.assertFalse(self.sealed("lwa_client_secret"))
        self.assertEqual(self.account._secret("lwa_client_secret"), "")
        self.assertFalse(self.account.lwa_client_secret_date)

    # === NEVER READ === #

    def test_fields_for_entering_are_empty_for_everybody(self):
        for env in (self.admin.env, self.owner.env, self.env(su=True)):
            account = self.account.with_env(env).with_user(self.admin)
            for record in (account, account.sudo()):
                self.assertFalse(record.lwa_client_secret or record.lwa_refresh_token)

    def test_what_was_entered_is_not_read_in_the_same_transaction(self):
        account = self.account.with_user(self.admin)
        account.lwa_client_secret = "amzn1.oa2-cs.v1.new"
        self.assertFalse(account.lwa_client_secret)
        self.assertFalse(account.sudo().lwa_client_secret)
        created = account.create(
            {"name": "X", "seller_id": "X", "lwa_client_secret": "amzn1.oa2-cs.v1.new"}
        )
        self.assertFalse(created.lwa_client_secret)

    def test_reading_by_rpc_gives_nothing(self):
        for user in (self.admin, self.owner):
            for content in (
                self.rpc(user, "read", self.account.ids),
                self.rpc(user, "read", self.account.ids, list(ENTERED)),
                self.rpc(user, "search_read", []),
                self.rpc(
                    user,
                    "web_read",
                    self.account.ids,
                    specification=dict.fromkeys(ENTERED, {}),
                ),
                self.rpc(
                    user,
                    "web_search_read",
                    [],
                    specification=dict.fromkeys(ENTERED, {}),
                ),
                self.rpc(
                    user,
                    "web_save",
                    self.account.ids,
                    {"lwa_client_secret": CLIENT_SECRET},
                    specification=dict.fromkeys(ENTERED, {}),
                ),
                self.rpc(user, "export_data", self.account.ids, list(ENTERED)),
                self.rpc(user, "copy_data", self.account.ids),
                self.rpc(user, "name_search", "Nordlicht"),
                self.rpc(user, "get_metadata", self.account.ids),
                self.rpc(user, "default_get", [*ENTERED, *SEALED]),
                self.rpc(user, "fields_get"),
            ):
                self.assert_clean(content)

    def test_agents_may_not_even_ask(self):
        for user in (self.agent, self.trainee, self.auditor):
            for name in ENTERED:
                for call in (
                    lambda user=user, name=name: self.rpc(
                        user, "read", self.account.ids, [name]
                    ),
                    lambda user=user, name=name: self.rpc(
                        user, "search_read", [(name, "=like", "a%")]
                    ),
                    lambda user=user, name=name: self.rpc(
                        user, "write", self.account.ids, {name: "x"}
                    ),
                ):
                    with self.assertRaises(AccessError):
                        call()

    def test_sealed_columns_are_refused_to_everybody(self):
        for user in self.everybody:
            for name in SEALED:
                calls = {
                    "read": (self.account.ids, [name]),
                    "search_read": ([(name, "=like", "g%")],),
                    "search_count": ([(name, "!=", False)],),
                    "formatted_read_group": ([], [name], ["__count"]),
                    "web_read_group": ([], [name]),
                    "export_data": (self.account.ids, [name]),
                    "write": (self.account.ids, {name: "x"}),
                }
                for method, args in calls.items():
                    with (
                        self.subTest(f"{user.login} {method} {name}"),
                        self.assertRaises(AccessError),
                    ):
                        self.rpc(user, method, *args)
                self.assertNotIn(name, self.rpc(user, "fields_get"))

    def test_sealed_columns_are_not_reached_through_other_models(self):
        for user in (self.agent, self.admin, self.owner):
            participations = self.env["amazon.seller.participation"].with_user(user)
            for name in (*SEALED, "lwa_client_secret"):
                path = f"account_id.{name}"
                self.assert_refused(participations.search, [(path, "!=", False)])
                self.assert_refused(participations.search, [], order=path)
                self.assert_refused(participations._read_group, [], [path])
                self.assert_clean(self._export(participations, path))

    def _export(self, records, path):
        try:
            return records.search([]).export_data([path.replace(".", "/")])
        except AccessError:
            return ""

    def test_nobody_orders_or_searches_by_a_secret(self):
        for name in (*ENTERED, *SEALED):
            for kwargs in ({"order": name}, {"domain": [(name, "=like", "a%")]}):
                kwargs = {"domain": [], **kwargs}
                self.assert_refused(self.rpc, self.admin, "search_read", **kwargs)

    def test_onchange_gives_back_no_secret(self):
        specification = dict.fromkeys((*ENTERED, "lwa_client_secret_date"), {})
        answer = self.rpc(
            self.admin,
            "onchange",
            self.account.ids,
            {"lwa_client_secret": CLIENT_SECRET},
            ["lwa_client_secret"],
            specification,
        )
        self.assert_clean(answer)
        self.assert_clean(
            self.rpc(self.admin, "onchange", [], {}, [], fields_spec=specification)
        )

    def test_method_that_opens_secrets_is_not_for_rpc(self):
        for method in ("_secret", "_client", "_seal", "_sealed_secrets"):
            with self.assertRaises(AccessError):
                self.rpc(self.owner, method, self.account.ids, "lwa_client_secret")

    def test_copy_has_no_secret(self):
        copy = self.account.with_user(self.admin).copy({"seller_id": "OTHER"})
        for name in SECRETS:
            self.assertFalse(self.sealed(name, copy))

    def test_import_enters_a_secret_and_shows_none(self):
        answer = self.rpc(
            self.admin, "load", ["name", "seller_id", *ENTERED], [["I", "I", "s", "t"]]
        )
        account = self.env["amazon.seller.account"].browse(answer["ids"])
        self.assertEqual(account._secret("lwa_refresh_token"), "t")

    def test_journal_and_chatter_hold_no_secret(self):
        self.rpc(
            self.admin,
            "write",
            self.account.ids,
            {"lwa_client_secret": CLIENT_SECRET, "lwa_refresh_token": REFRESH_TOKEN},
        )
        entries = self.env["amazon.audit.entry"].sudo().search([])
        self.assertIn("LWA Client Secret changed: ***", entries.mapped("message"))
        self.assert_clean(entries.read())
        for model in ("mail.message", "ir.attachment", "amazon.file", "queue.job"):
            self.assert_clean(self.env[model].sudo().search([]).read())

    def test_log_of_every_call_holds_no_secret(self):
        values = {
            "lwa_client_secret": "neither-of-amazons-form",
            "lwa_refresh_token": REFRESH_TOKEN,
        }
        with (
            self.assertLogs("odoo.service.model", logging.DEBUG) as calls,
            self.assertLogs("odoo.sql_db", logging.DEBUG) as queries,
            self.assertLogs(level=logging.DEBUG) as log,
        ):
            self.rpc(self.admin, "write", self.account.ids, values)
            self.env.flush_all()
            # the simulator knows none of them, so the token is refused
            self.account.action_test_connection()
        text = "\n".join(calls.output + queries.output + log.output)
        self.assertIn("'lwa_client_secret': '***'", text)
        self.assertIn(
            "this client ID with this client secret",
            self.account.capability_ids[0].message,
        )
        for secret in values.values():
            self.assertNotIn(secret, text)

    def test_refused_secret_stands_in_no_sentence(self):
        self.account.lwa_client_secret = "with space"
        with self.assertRaises(UserError) as caught:
            self.account.action_test_connection()
        self.assertNotIn("with space", str(caught.exception))

    # === BOUND TO ITS PLACE === #

    def test_ciphertext_of_another_account_is_of_no_use(self):
        other = self._create_account(seller_id="OTHER", lwa_client_secret="other")
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE amazon_seller_account SET lwa_client_secret_sealed = %s"
            " WHERE id = %s",
            [self.sealed("lwa_client_secret"), other.id],
        )
        self.env.invalidate_all()
        with self.assertLogs(CREDENTIALS, "ERROR"):
            with self.assertRaises(UnreadableSecret):
                other._client()
        self.assertIn("cannot be decrypted", other.secrets_problem)

    def test_ciphertext_of_another_field_is_of_no_use(self):
        self.account.lwa_client_secret_sealed = self.account.lwa_refresh_token_sealed
        with mute_logger(CREDENTIALS), self.assertRaises(UnreadableSecret):
            self.account._client()

    def test_access_token_of_another_account_is_asked_for_anew(self):
        self.account.write({"lwa_client_secret": "demo-secret"})
        self.account.write({"lwa_refresh_token": "Atzr|demo-refresh-token"})
        other = self._create_account(seller_id="OTHER")
        store = AccessTokenStore(self.env.registry, other.id)
        store.save("Atza|of-the-other", 4e9)
        self.account.access_token_sealed = other.access_token_sealed
        self.account.access_token_expires_at = other.access_token_expires_at
        with mute_logger(CREDENTIALS):
            self.create_sale_order(SHIPPED)
        self.assertNotEqual(
            self.account._secret("access_token"), other._secret("access_token")
        )

    def test_amazons_secrets_are_not_sent_to_an_address_that_somebody_enters(self):
        self.account.environment = "production"
        self.account.write({name: CLIENT_SECRET for name in ENTERED})
        self.account.with_user(self.admin).write(
            {"environment": "simulator", "simulator_url": self.simulator.url}
        )
        for name in ENTERED:
            self.assertFalse(self.sealed(name))
        # nor by SQL
        self.account.environment = "production"
        self.account.write({name: CLIENT_SECRET for name in ENTERED})
        self.env.flush_all()
        self.env.cr.execute("UPDATE amazon_seller_account SET environment='simulator'")
        self.env.invalidate_all()
        with mute_logger(CREDENTIALS), self.assertRaises(UnreadableSecret):
            self.account._client()

    def test_secret_entered_together_with_the_environment_is_kept(self):
        self.account.write(
            {"environment": "production", "lwa_client_secret": CLIENT_SECRET}
        )
        self.assertEqual(self.account._secret("lwa_client_secret"), CLIENT_SECRET)
        self.assertFalse(self.sealed("lwa_refresh_token"))
        self.account.environment = "sandbox"
        self.assertTrue(self.sealed("lwa_client_secret"))

    # === WITHOUT THE KEY === #

    def test_secret_is_refused_without_a_key_with_the_way_to_make_one(self):
        with no_keys(), self.assertRaises(UserError) as caught:
            self.account.with_user(self.admin).lwa_client_secret = "new"
        sentence = str(caught.exception)
        for part in ("generate_key", KEYS_VARIABLE, "[amazon_order_actions]"):
            self.assertIn(part, sentence)
        self.assertNotIn("new ", sentence)

    def test_update_without_a_key_stops_where_secrets_are_stored(self):
        accounts = self.env["amazon.seller.account"]
        accounts.init()
        for without in (no_keys(), keys("nonsense")):
            with without, self.assertRaisesRegex(UserError, "Nothing was updated"):
                accounts.init()
        everything = accounts.with_context(active_test=False).search([])
        everything.write({"lwa_client_secret": False, "lwa_refresh_token": False})
        self.env.flush_all()
        with no_keys():
            accounts.init()

    def test_unusable_key_is_a_sentence(self):
        with keys("nonsense"), self.assertRaisesRegex(UserError, "Key number 1"):
            self.account.lwa_client_secret = "new"

    def test_account_without_secrets_needs_no_key(self):
        with no_keys():
            account = self._create_account(
                seller_id="OTHER", lwa_client_secret=False, lwa_refresh_token=False
            )
            account.name = "Another name"
            self.assertIn("no key", account.secrets_problem)
            self.assertEqual(account.lwa_client_secret_hint, "Not set")

    def test_demo_data_is_installed_without_a_key_and_then_without_secrets(self):
        self.account.seller_id = "OTHER"
        self.env.flush_all()
        for server, is_set in ((no_keys(), False), (keys(new_key()), True)):
            with server:
                convert_file(
                    self.env,
                    "amazon_order_actions",
                    "demo/amazon_seller_account_demo.xml",
                    {},
                    mode="init",
                )
            demo = self.env.ref("amazon_order_actions.demo_account_eu")
            for name in ENTERED:
                self.assertEqual(bool(self.sealed(name, demo)), is_set)

    def test_lost_key_gets_a_sentence_and_no_traceback(self):
        order = self.create_sale_order(SHIPPED).amazon_order_id
        for server in (no_keys(), keys(new_key())):
            with server, mute_logger(CREDENTIALS):
                # who tests it administers it, and is told where the key belongs
                with self.assertRaisesRegex(UserError, "AMAZON_ORDER_KEYS"):
                    self.account.action_test_connection()
                order._job_read()
                self.assertIn("cannot be decrypted", order.read_message)
                self.assertIn("decrypt", self.account.secrets_problem)
                with self.assertRaisesRegex(UserError, "key"):
                    self.account.action_reencrypt()

    def test_hint_says_that_it_is_set_and_nothing_of_it(self):
        hint = self.account.with_user(self.admin).lwa_client_secret_hint
        self.assertIn("Set on", hint)
        self.assert_clean(hint)
        with keys(new_key()):
            self.account.invalidate_recordset(["lwa_client_secret_hint"])
            self.assertIn("cannot be decrypted", self.account.lwa_client_secret_hint)

    def test_neutralized_copy_holds_no_ciphertext(self):
        self.env.flush_all()
        with file_open("amazon_order_actions/data/neutralize.sql") as script:
            self.env.cr.execute(script.read())
        for name in SECRETS:
            self.assertFalse(self.sealed(name))

    # === ROTATION OF THE KEY === #

    def test_reencryption_lets_the_old_key_go(self):
        old, new = new_key(), new_key()
        with keys(old):
            self.account.lwa_client_secret = CLIENT_SECRET
            self.account.lwa_refresh_token = REFRESH_TOKEN
            self.env.flush_all()
            AccessTokenStore(self.env.registry, self.account.id).save("Atza|t", 4e9)
        self.env.invalidate_all()
        account = self.account.with_user(self.admin)
        with keys(new, old):
            self.assertTrue(account.is_reencryption_due)
            account.action_reencrypt()
            self.assertFalse(account.is_reencryption_due)
        with keys(new):
            values = [self.account._secret(name) for name in SECRETS]
        # the access token is asked for anew
        self.assertEqual(values, [CLIENT_SECRET, REFRESH_TOKEN, ""])
        entry = self.env["amazon.audit.entry"].sudo().search([], limit=1)
        self.assertEqual(entry.message, "Secrets encrypted again.")
        self.assertEqual(entry.user_id, self.admin)

    def test_reencryption_is_for_administrators(self):
        for user in (self.agent, self.auditor):
            with self.assertRaises(AccessError):
                self.rpc(user, "action_reencrypt", self.account.ids)

    # === THE FORM === #

    def test_form_takes_a_new_secret_and_says_since_when(self):
        self.account.lwa_client_secret_date = "2020-01-01"
        with Form(self.account.with_user(self.admin)) as form:
            self.assertFalse(form.lwa_client_secret)
            form.lwa_client_secret = CLIENT_SECRET
            self.assertEqual(form.lwa_client_secret_date, date.today())
        self.assertEqual(self.account._secret("lwa_client_secret"), CLIENT_SECRET)
        self.assertEqual(self.account.lwa_client_secret_date, date.today())

    def test_form_that_changes_something_else_keeps_the_secret(self):
        before = self.sealed("lwa_client_secret")
        with Form(self.account.with_user(self.admin)) as form:
            form.name = "Another name"
        self.assertEqual(self.sealed("lwa_client_secret"), before)

    def test_day_that_the_secret_was_made_on_can_be_corrected(self):
        self.account.write(
            {"lwa_client_secret": "x", "lwa_client_secret_date": "2026-01-31"}
        )
        self.env.flush_all()
        self.assertEqual(self.account.lwa_client_secret_date, date(2026, 1, 31))
        with self.assertRaises(AccessError):
            self.account.with_user(self.agent).lwa_client_secret_date = "2030-01-01"


@tagged("post_install", "-at_install")
class TestSecretsWatch(AmazonOrderCommon):
    """Administrators are told of keys that are lost and of secrets that end."""

    MADE = date(2026, 1, 1)
    END = MADE + timedelta(days=180)

    def watch(self):
        self.env["amazon.watch"]._cron_watch()
        self.env.flush_all()
        self.env.invalidate_all()

    def alarms(self):
        return self.env["amazon.alarm"].search(
            [("account_id", "=", self.account.id), ("state", "=", "open")]
        )

    def connect_to_amazon(self):
        self.account.environment = "production"
        self.account.write(
            {
                "lwa_client_secret": CLIENT_SECRET,
                "lwa_refresh_token": REFRESH_TOKEN,
                "lwa_client_secret_date": self.MADE,
            }
        )
        self.env.flush_all()

    def at(self, days_left):
        """Let the watch look so many days before the secret ends."""
        with freeze_time(self.END - timedelta(days=days_left)):
            self.watch()
        return self.alarms().mapped("kind")

    def test_end_of_the_client_secret_is_told_a_month_and_a_week_before(self):
        self.connect_to_amazon()
        self.assertEqual(self.at(31), [])
        self.assertEqual(self.at(30), ["secret_due"])
        month = self.alarms()
        self.assertIn("Rotate it in Seller Central", month.message)
        self.assertTrue(month.is_told)
        self.assertIn(self.admin, month.activity_ids.user_id)
        self.assertIn(self.admin.partner_id, month.message_ids.partner_ids)
        self.assertEqual(self.at(8), ["secret_due"])
        self.assertEqual(self.at(7), ["secret_near"])
        self.assertEqual(month.state, "over")
        self.assertTrue(self.alarms().is_told)
        self.assertEqual(self.at(1), ["secret_near"])
        self.assertEqual(self.at(0), ["secret_over"])
        self.assertIn("ended on", self.alarms().message)
        self.assertEqual(self.at(-300), ["secret_over"])

    def test_new_client_secret_ends_the_alarm(self):
        self.connect_to_amazon()
        self.assertEqual(self.at(3), ["secret_near"])
        with freeze_time(self.END):
            self.account.with_user(self.admin).lwa_client_secret = CLIENT_SECRET
            self.env.flush_all()
            self.watch()
        self.assertEqual(self.account.lwa_client_secret_date, self.END)
        self.assertFalse(self.alarms())
        self.assertEqual(self.at(-149), [])
        self.assertEqual(self.at(-150), ["secret_due"])

    def test_new_refresh_token_does_not_renew_the_client_secret(self):
        self.connect_to_amazon()
        self.account.lwa_refresh_token = REFRESH_TOKEN
        self.env.flush_all()
        self.assertEqual(self.account.lwa_client_secret_date, self.MADE)

    def test_secrets_of_the_simulator_do_not_end(self):
        self.account.lwa_client_secret_date = self.MADE
        self.assertEqual(self.at(-300), [])

    def test_lost_key_is_an_alarm_that_ends_with_the_key(self):
        with no_keys():
            self.watch()
            self.assertEqual(self.alarms().mapped("kind"), ["secrets"])
            self.assertIn("cannot be decrypted", self.alarms().message)
            self.assertIn(self.admin, self.alarms().activity_ids.user_id)
        self.watch()
        self.assertFalse(self.alarms())

    def test_account_without_secrets_is_no_alarm(self):
        self.account.write(dict.fromkeys(ENTERED, False))
        with no_keys():
            self.watch()
        self.assertFalse(self.alarms())

    def test_what_waits_is_not_lost_with_the_key(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        with no_keys(), mute_logger(CREDENTIALS):
            for _time in range(3):
                self.run_jobs()
        self.assertEqual(action.state, "queued")
        self.assertNotIn("createFeed", self.simulator.ledger()["calls"])
        self.settle()
        self.assertEqual(action.state, "confirmed")

    def test_call_of_its_own_waits_for_the_key(self):
        action = self.ask_ship(self.create_sale_order(UNSHIPPED))
        with no_keys(), mute_logger(CREDENTIALS):
            for _time in range(3):
                self.run_jobs()
        self.assertEqual(action.state, "queued")
        self.settle()
        self.assertEqual(action.state, "confirmed")

    def test_verified_action_waits_for_the_key_too(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        # nothing but the feed is left to be sent
        action.asked_at -= timedelta(minutes=1)
        action.order_id.complete_at = fields.Datetime.now()
        with no_keys(), mute_logger(CREDENTIALS):
            postponed = self.run_jobs("_job_dispatch")
        self.assertIn("This server has no key", str(postponed))
        self.assertEqual(action.state, "queued")
        self.assertFalse(self.account._quota_wait("createFeed", 15))
