"""What the tests need and a package of the addon does not bring: the repository around
it, with the simulator of Amazon, and the packages of the tests."""

from importlib.util import find_spec
from pathlib import Path

from odoo.tests import BaseCase, tagged

FOLDER = Path(__file__).resolve().parents[2]

#: Of requirements-test.txt and requirements-demo.txt, by what they are imported as.
PACKAGES = ("hypothesis", "yaml")

IS_HERE = (FOLDER / "spapi_simulator").is_dir() and all(map(find_spec, PACKAGES))


@tagged("post_install", "-at_install")
class TestWithoutRepository(BaseCase):
    """Stands for all tests of an addon that was installed without the repository."""

    # Of the subclasses, too, which each addon has
    allow_inherited_tests_method = True

    def test_is_for_the_repository(self):
        self.skipTest(
            "The tests of this addon run in a checkout of its repository, with the "
            "simulator of Amazon beside it and requirements-test.txt installed."
        )
