from collections import defaultdict


def fetch_children(parents, name):
    """Read the records of a one2many field together with what they hold.

    Odoo asks which ones they are first, and then what they hold: a query more, each
    time that they are read.

    :param parents: saved records
    :param str name: of their one2many field
    :return: the records of all of them, in the usual order
    """
    field = parents._fields[name]
    children = parents.env[field.comodel_name]
    held = [one.name for one in children._fields.values() if one.prefetch is True]
    inverse = field.inverse_name
    children = children.search_fetch([(inverse, "in", parents.ids)], held)
    by_parent = defaultdict(list)
    for child in children:
        by_parent[child[inverse].id].append(child.id)
    field._insert_cache(parents, [tuple(by_parent[one]) for one in parents.ids])
    return children
