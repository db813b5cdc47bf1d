from odoo.addons.amazon_order_actions.tests import repository

IS_HERE = repository.IS_HERE


class TestWithoutRepository(repository.TestWithoutRepository):
    """Stands for the tests of this addon."""
