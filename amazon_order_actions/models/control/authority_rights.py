from contextlib import contextmanager, nullcontext

from odoo import api, models

from odoo.addons.base.models.ir_model import MODULE_UNINSTALL_FLAG

# The groups of the addon, in the order in which the journal names them.
RIGHT_GROUPS = (
    "refund",
    "cancel",
    "edit",
    "message",
    "approve",
    "journal",
    "admin",
)
# Fields of a group that say who is in it.
MEMBERSHIP = {"user_ids", "all_user_ids", "implied_ids", "implied_by_ids"}
# Set while somebody watches, so that a change within a change is told once.
WATCHED = "amazon_order_actions.rights_watched"


class AmazonRights(models.AbstractModel):
    """Who is in the groups of the addon: each change is journaled, in every company
    that the person works in, whatever brought it about through the ORM: the form of the
    user, of the group or of one that implies it, the companies of a user, archiving.

    Not caught: SQL, and what a person does with another's password or API key.
    """

    _name = "amazon.rights"
    _description = "Amazon Rights of People"

    def _journal_rights(self):
        """Return a context in which gains and losses of the addon's rights are
        journaled, once it ends well."""
        if self.env.cr.cache.get(WATCHED) or self._is_uninstalling():
            return nullcontext()
        return self._watch_rights()

    def _is_uninstalling(self):
        """Whether the journal is being removed itself. Any caller of RPC can set the
        context, so it is asked of the module, too."""
        if not self.env.context.get(MODULE_UNINSTALL_FLAG):
            return False
        module_sudo = self.env["ir.module.module"].sudo()
        return module_sudo._get("amazon_order_actions").state == "to remove"

    @contextmanager
    def _watch_rights(self):
        before = self._rights_held()
        self.env.cr.cache[WATCHED] = True
        try:
            yield
        finally:
            self.env.cr.cache.pop(WATCHED, None)
        after = self._rights_held()
        self.env["amazon.audit.entry"]._append(
            [
                self._prepare_rights_entry(who, before.get(who), after.get(who))
                for who in dict.fromkeys([*before, *after])
                if before.get(who) != after.get(who)
            ]
        )

    def _rights_held(self):
        """Return the ids of the addon's groups that each active person is in, directly
        or through other groups, for each of the person's companies.

        :return: {(user id, company id): set of group ids}
        """
        groups_of = self._groups_of()
        self.env["res.users"].flush_model(["active", "group_ids", "company_ids"])
        self.env.cr.execute(
            """
            SELECT member.uid, company.cid, array_agg(member.gid)
              FROM res_groups_users_rel member
              JOIN res_users person ON person.id = member.uid AND person.active
              JOIN res_company_users_rel company ON company.user_id = member.uid
             WHERE member.gid = ANY(%s)
             GROUP BY member.uid, company.cid
            """,
            [list(groups_of)],
        )
        return {
            (user_id, company_id): set().union(*map(groups_of.get, gids))
            for user_id, company_id, gids in self.env.cr.fetchall()
        }

    def _groups_of(self):
        """Return for each group that gives a right of the addon which ones it gives."""
        definitions = self.env["res.groups"]._get_group_definitions()
        groups_of = {}
        for group_id in self._right_groups():
            for giver in (group_id, *definitions.get_subset_ids([group_id])):
                groups_of.setdefault(giver, set()).add(group_id)
        return groups_of

    def _right_groups(self):
        """Return the ids of the addon's groups."""
        definitions = self.env["res.groups"]._get_group_definitions()
        ids = (
            definitions.get_id(f"amazon_order_actions.group_{name}")
            for name in RIGHT_GROUPS
        )
        # while the addon is being installed, they are not there yet
        return list(filter(None, ids))

    def _prepare_rights_entry(self, holder, before, after):
        user_id, company_id = holder
        user = self.env["res.users"].sudo().browse(user_id).exists()
        return {
            "event": "authority",
            "company_id": company_id,
            "value_before": self._rights_text(before),
            "value_after": self._rights_text(after),
            "message": self.env._(
                "Amazon rights of %(user)s (%(id)s) in this company changed.",
                user=user.name or self.env._("a deleted user"),
                id=user_id,
            ),
        }

    def _rights_text(self, group_ids):
        """Name groups, in the order of the addon."""
        return ", ".join(
            self.env["res.groups"].sudo().browse(group_id).name
            for group_id in self._right_groups()
            if group_id in (group_ids or ())
        )


class ResUsers(models.Model):
    _inherit = "res.users"

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `base` to journal the Amazon rights that are given."""
        with self.env["amazon.rights"]._journal_rights():
            return super().create(vals_list)

    def write(self, vals):
        """Override of `base` to journal the Amazon rights that are given or taken."""
        if not {"group_ids", "company_ids", "active"} & set(vals):
            return super().write(vals)
        with self.env["amazon.rights"]._journal_rights():
            return super().write(vals)

    def unlink(self):
        """Override of `base` to journal the Amazon rights that end."""
        with self.env["amazon.rights"]._journal_rights():
            return super().unlink()


class ResGroups(models.Model):
    _inherit = "res.groups"

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `base` to journal the Amazon rights that are given."""
        with self.env["amazon.rights"]._journal_rights():
            return super().create(vals_list)

    def write(self, vals):
        """Override of `base` to journal the Amazon rights that are given or taken."""
        if not MEMBERSHIP & set(vals):
            return super().write(vals)
        with self.env["amazon.rights"]._journal_rights():
            return super().write(vals)

    def unlink(self):
        """Override of `base` to journal the Amazon rights that end."""
        with self.env["amazon.rights"]._journal_rights():
            return super().unlink()


class ResCompany(models.Model):
    _inherit = "res.company"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    def write(self, vals):
        """Override of `base`: who is let into a company has the Amazon rights there."""
        if "user_ids" not in vals:
            return super().write(vals)
        with self.env["amazon.rights"]._journal_rights():
            return super().write(vals)
