"""How what belongs together is read in one query, where a person waits.

Odoo reads the records of each model by themselves, each with all of its columns. What
is read here is in Odoo's cache then, as if it had been read that way.
"""

from odoo.models import MAGIC_COLUMNS
from odoo.tools import SQL


def columns_held(model):
    """Return the names of what Odoo reads of a record of a model together, as far as
    the user may read it.

    :rtype: list[str]
    """
    return [
        field.name
        for field in model._fields.values()
        if field.prefetch is True
        and field.column_type
        # who made it and when is of interest to few
        and field.name not in MAGIC_COLUMNS
        and model._has_field_access(field, "read")
    ]


def remember(records, names, rows):
    """Put what was read into the cache; what is there already stays.

    :param records: one for each row
    :param list names: of stored fields
    :param rows: for each record, a value of each field as PostgreSQL has it
    """
    for name, values in zip(names, zip(*rows, strict=True), strict=False):
        records._fields[name]._insert_cache(records, values)


def fetch_family(model, domain, name):
    """Find records, and the records of one of their one2many fields, and read both.

    As the user of the environment may read them.

    :param model: where to look
    :param domain: which ones
    :param str name: of the one2many field
    :return: what was found, in the usual order; among all that a many2one field tells
        apart, as it comes
    """
    field = model._fields[name]
    children = model.env[field.comodel_name]
    query = model._search(domain, active_test=False)
    alias = query.make_alias(query.table, name)
    is_child = SQL(
        "%s = %s",
        SQL.identifier(alias, field.inverse_name),
        SQL.identifier(query.table, "id"),
    )
    if not model.env.su:
        readable = children._search([], active_test=False, order="id").subselect()
        is_child = SQL(
            "%s AND %s IN %s", is_child, SQL.identifier(alias, "id"), readable
        )
    query.add_join("LEFT JOIN", alias, children._table, is_child)
    query.order = SQL(
        "%s, %s", _order(model, query.table, query), _order(children, alias, query)
    )
    of_parent, of_child = columns_held(model), columns_held(children)
    children.flush_model([field.inverse_name])
    rows = model.env.execute_query(
        query.select(
            *_terms(model, query.table, of_parent, query),
            *_terms(children, alias, of_child, query),
        )
    )
    width = 1 + len(of_parent)
    parents = {row[0]: row[1:width] for row in rows}
    born = {row[width]: row[width + 1 :] for row in rows if row[width]}
    of_each = {parent: [] for parent in parents}
    for row in rows:
        of_each[row[0]] += filter(None, [row[width]])
    remember(model.browse(parents), of_parent, parents.values())
    remember(children.browse(born), of_child, born.values())
    found = model.browse(parents)
    field._insert_cache(found, map(tuple, of_each.values()))
    return found


def fetch_along(records, wanted, *beside):
    """Read records, and what many2one fields of theirs lead to, for the program itself.

    :param records: saved records, in sudo mode
    :param dict wanted: names of stored fields by the path that leads there, the shorter
        one first; the records themselves are at the path ``""``
    :param beside: further pairs of one record, or none, and what is wanted of it
    """
    query = records._as_query(ordered=False)
    parts = list(_along(records, query.table, wanted, query))
    for number, (record, of_record) in enumerate(beside):
        if record:
            alias = f"beside_{number}"
            is_it = SQL("%s = %s", SQL.identifier(alias, "id"), record.id)
            query.add_join("LEFT JOIN", alias, record._table, is_it)
            parts += _along(record, alias, of_record, query)
    terms = [
        term
        for model, alias, names in parts
        for term in _terms(model, alias, names, query)
    ]
    rows = records.env.execute_query(query.select(*terms))
    begin = 0
    for model, _alias, names in parts:
        end = begin + 1 + len(names)
        held = {row[begin]: row[begin + 1 : end] for row in rows if row[begin]}
        remember(model.browse(held), names, held.values())
        begin = end


def _along(records, table, wanted, query):
    """Join what is wanted; yield for each path the model, its alias and the names."""
    at = {"": (records, table)}
    for path, names in wanted.items():
        if path:
            before, _dot, name = path.rpartition(".")
            model, alias = at[before]
            model.flush_model([name])
            comodel = model.env[model._fields[name].comodel_name]
            at[path] = comodel, query.left_join(alias, name, comodel._table, "id", name)
        yield *at[path], names


def _terms(model, alias, names, query):
    columns = [model._field_to_sql(alias, name, query) for name in names]
    return [SQL.identifier(alias, "id"), *columns]


def _order(model, alias, query):
    """Return the usual order, without the records that it belongs to: of one parent,
    that is the same."""
    parts = [
        part
        for part in model._order.split(",")
        if model._fields[part.split()[0]].type != "many2one"
    ]
    return model._order_to_sql(",".join(parts) or "id", query, alias)
