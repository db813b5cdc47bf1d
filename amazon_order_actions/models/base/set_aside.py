import functools
from datetime import timedelta

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain

from odoo.addons.queue_job.exception import RetryableJobError

from .background import in_own_transaction
from .clock import database_now
from .containment import contained, log_failure, trace_of
from .groups import ADMIN

# Seconds after which what was set aside for a while is tried again: half of the time
# since it failed first, within these bounds.
AGAIN_MIN_SECONDS, AGAIN_MAX_SECONDS = 30, 1800


class AmazonSetAside(models.AbstractModel):
    """Something on its way that raised, and that nothing touches by itself any more.

    A person sees it, an administrator is told and tries it again once the program is
    mended, and whatever is on its way beside it goes on. Its state stays what it was:
    what may have left is never sent again by that.
    """

    _name = "amazon.set.aside"
    _description = "What Can Be Set Aside"

    set_aside_at = fields.Datetime("Set Aside", readonly=True, copy=False)
    set_aside_until = fields.Datetime(
        "Tried Again",
        readonly=True,
        copy=False,
        help="When it is tried again by itself; empty: not before an administrator "
        "wants it.",
    )
    set_aside_message = fields.Text("Why It Stands Still", readonly=True, copy=False)
    set_aside_trace = fields.Text("Traceback", readonly=True, copy=False, groups=ADMIN)

    # === ACTION METHODS === #

    def action_try_again(self):
        """Let go on what was set aside, as an administrator of its company.

        Nothing that may have left is sent again by that: the state decides.

        :raise AccessError: when the user does not administer the company
        """
        self.check_access("read")
        self.sudo()._try_again()
        return True

    def _try_again(self):
        """Let go on what of these is set aside; in sudo mode, for the real user.

        :raise AccessError: when the user does not administer the companies
        """
        self._check_administers(self.company_id)
        aside = self.filtered("set_aside_at")
        for record in aside:
            record._journal_try_again()
        aside.write(self._not_aside())
        for record in aside:
            record._go_on()

    @api.model
    def _check_administers(self, companies):
        """Asked of the real user also in sudo mode, so that no caller's sudo opens it.

        :raise AccessError: when the user does not administer the companies
        """
        user = self.env.user
        if user.id == SUPERUSER_ID:
            return
        if not user.has_group(ADMIN) or companies - user.sudo().company_ids:
            raise AccessError(
                self.env._(
                    "Only an Amazon administrator of the company can try again what "
                    "was set aside."
                )
            )

    def _journal_try_again(self):
        """Hook: journal that the current user has it tried again."""
        raise NotImplementedError

    def _go_on(self):
        """Hook: enqueue what goes on with this record in its state."""
        raise NotImplementedError

    # === BUSINESS METHODS === #

    @api.model
    def _not_aside(self):
        """Return the values of what is not set aside."""
        return dict.fromkeys(
            (
                "set_aside_at",
                "set_aside_until",
                "set_aside_message",
                "set_aside_trace",
            ),
            False,
        )

    @api.model
    def _goes_on_domain(self):
        """Return the domain of what is not set aside now.

        :rtype: Domain
        """
        now = database_now(self.env)
        return Domain("set_aside_at", "=", False) | Domain("set_aside_until", "<=", now)

    def _goes_on(self):
        """Whether this record is not set aside now."""
        until = self.set_aside_until
        return not self.set_aside_at or bool(until and until <= database_now(self.env))

    def _set_aside(self, error, message=None):
        """Touch these no more until an administrator tries them again.

        In the current transaction: where that is rolled back, use
        :meth:`_set_aside_in_own`.

        :param Exception error: what they raised
        :param str message: sentence for everybody who waits for them, instead of the
            one for their state
        """
        log_failure(self, "set aside", error)
        trace = trace_of(error)
        for record in self:
            record.write(
                {
                    "set_aside_at": record.set_aside_at or database_now(self.env),
                    "set_aside_until": False,
                    "set_aside_message": message or record._aside_sentence(),
                    "set_aside_trace": trace,
                }
            )

    def _set_aside_in_own(self, error):
        """Set aside in a transaction of its own, after that of what failed is rolled
        back."""
        in_own_transaction(self, "_set_aside", error)

    def _set_aside_for_a_while(self, error, message):
        """Try these again by themselves, later each time: what failed concerns more
        than them.

        :param Exception error: what was raised
        :param str message: sentence that says what to do
        """
        for record in self:
            record._set_aside(error, message)
            age = (database_now(self.env) - record.set_aside_at).total_seconds()
            wait = min(max(age / 2, AGAIN_MIN_SECONDS), AGAIN_MAX_SECONDS)
            record.set_aside_until = database_now(self.env) + timedelta(seconds=wait)

    def _aside_sentence(self):
        """Hook: the sentence for everybody who waits for it, by its state."""
        raise NotImplementedError


def contained_job(job):
    """Decorate a job of one record that can be set aside: what raises sets it aside
    instead of failing the job, and what is set aside is left alone."""

    @functools.wraps(job)
    def run(self, *args, **kwargs):
        self.ensure_one()
        if not self._goes_on():
            return
        later = []

        def attempt(record):
            try:
                job(record, *args, **kwargs)
            except RetryableJobError as error:
                later.append(error)

        contained(self, attempt, lambda record, error: record._set_aside_in_own(error))
        # queue_job rolls back what the job did, and runs it again
        for postponed in later:
            raise postponed

    return run
