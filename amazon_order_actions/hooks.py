"""Uninstalling: what Odoo would leave behind of an addon, or stumble over."""

from odoo.models import is_model_definition
from odoo.tools import SQL

from .models.life import life_record

# Records of others that are used elsewhere by then, such as demo products that were
# delivered: they stay, as records of the database's own.
USED_BY_OTHERS = ("product.product", "product.template")


def uninstall_hook(env):
    """Take along what the core leaves outside of its tables: the jobs that wait for it,
    the function that guards the journal, the record outside of the database."""
    env["amazon.seller.account"]._remove_samples()
    leave_nothing(env, "amazon_order_actions")
    env["queue.job"].search([("model_name", "=like", "amazon.%")]).unlink()
    # With the triggers; their tables go in the same transaction.
    env.cr.execute("DROP FUNCTION IF EXISTS amazon_audit_refuse() CASCADE")
    database = env.cr.dbname
    env.cr.postcommit.add(lambda: life_record.forget(database))


def leave_nothing(env, addon):
    """Take along what uninstalling an addon leaves behind. Each addon of ours calls it.

    :param str addon: technical name of the addon that is being uninstalled
    """
    _end_activities(env, addon)
    _release(env, addon)
    env.flush_all()
    _forget_parents(env, addon)
    models = _models_that_go(env, addon)
    env.cr.execute(
        SQL(
            """
            -- What other addons note of models of ours by inheriting into them
            DELETE FROM ir_model_data
             WHERE model = 'ir.model.fields.selection' AND res_id IN (
                   SELECT selection.id
                     FROM ir_model_fields_selection AS selection
                     JOIN ir_model_fields AS field ON field.id = selection.field_id
                    WHERE field.model IN %(models)s);
            DELETE FROM ir_model_data
             WHERE model = 'ir.model.inherit' AND res_id IN (
                   SELECT inherit.id
                     FROM ir_model_inherit AS inherit
                     JOIN ir_model AS model ON model.id = inherit.model_id
                    WHERE model.model IN %(models)s);
            -- Rows of tables that go: one by one, they would keep each other
            DELETE FROM ir_model_data
             WHERE module = %(addon)s AND model IN %(models)s;
            -- Foreign keys go with their columns, not what Odoo notes of them
            DELETE FROM ir_model_constraint
             WHERE type = 'f' AND module = (
                   SELECT id FROM ir_module_module WHERE name = %(addon)s)
            """,
            addon=addon,
            models=tuple(models) or (None,),
        )
    )
    env.invalidate_all()


def _forget_parents(env, addon):
    """Forget what the addon lets models of others inherit. Odoo notes of a parent's own
    parents as if the addon that defines them had said so."""
    for name, model in env.registry.items():
        own = [cls for cls in _definitions(model) if cls._module == addon]
        others = [cls for cls in _definitions(model) if cls._module != addon]
        if not own or not others:
            continue
        gone = _parents(env, name, own) - _parents(env, name, others)
        if gone:
            rows = env["ir.model.inherit"].search(
                [("model_id.model", "=", name), ("parent_id.model", "in", list(gone))]
            )
            data = env["ir.model.data"]
            data.search(
                [("model", "=", rows._name), ("res_id", "in", rows.ids)]
            ).unlink()
            env.cr.execute(
                "DELETE FROM ir_model_inherit WHERE id = ANY(%s)", [rows.ids]
            )


def _definitions(model):
    """Return the classes that define or extend a model itself."""
    return [
        cls
        for cls in model.mro()
        if is_model_definition(cls) and cls._name == model._name
    ]


def _parents(env, name, classes):
    """Return the names of the models that classes of a model inherit, with the parents
    of those.

    :rtype: set[str]
    """
    found, fresh = {name, "base"}, list(classes)
    while fresh:
        for parent in set(fresh.pop()._inherit) - found:
            if parent in env.registry:
                found.add(parent)
                fresh += _definitions(env.registry[parent])
    return found


def _models_that_go(env, addon):
    """Return the names of the models that only addons know of that are uninstalled.

    :rtype: list[str]
    """
    rows = env.execute_query(
        SQL(
            """
            SELECT model.model
              FROM ir_model AS model
              JOIN ir_model_data AS data
                ON data.model = 'ir.model' AND data.res_id = model.id
              JOIN ir_module_module AS module ON module.name = data.module
             GROUP BY model.model
            HAVING bool_and(module.state = 'to remove') AND bool_or(module.name = %s)
            """,
            addon,
        )
    )
    return [model for (model,) in rows]


def _end_activities(env, addon):
    """Delete the activities of the addon's types: each would keep its type."""
    data = env["ir.model.data"].search(
        [("module", "=", addon), ("model", "=", "mail.activity.type")]
    )
    activities = env["mail.activity"].with_context(active_test=False)
    activities.search([("activity_type_id", "in", data.mapped("res_id"))]).unlink()


def _release(env, addon):
    """Keep records that others may use, as if somebody had made them by hand."""
    env["ir.model.data"].search(
        [("module", "=", addon), ("model", "in", USED_BY_OTHERS)]
    ).unlink()
