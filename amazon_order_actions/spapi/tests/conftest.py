"""Plain pytest suite of the strict layer; needs neither Odoo nor a network.

The package is imported as `spapi` from the addon's folder, because importing
`amazon_order_actions` would import Odoo.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import pytest

# No folder `.hypothesis` in the repository; the examples come from fixed seeds anyway.
os.environ.setdefault(
    "HYPOTHESIS_STORAGE_DIRECTORY", str(Path(tempfile.gettempdir(), "hypothesis"))
)

HERE = Path(__file__).resolve().parent
ADDON = HERE.parents[1]
sys.path[:0] = [str(ADDON), str(HERE)]

from fake_amazon import FakeAmazon  # noqa: E402
from spapi.client import SellerClient  # noqa: E402
from spapi.credentials import Credentials, Endpoint  # noqa: E402
from spapi.transport import MemoryTokenStore  # noqa: E402

REPOSITORY = ADDON.parent
CONTRACT = REPOSITORY.parent / "shared" / "contract"

SECRETS = {
    "client_id": "amzn1.application-oa2-client.test",
    "client_secret": "amzn1.oa2-cs.v1.0123456789abcdef",
    "refresh_token": "Atzr|refresh-token-of-the-test",
}


@pytest.fixture
def amazon():
    """A server that answers as the test says."""
    server = FakeAmazon()
    yield server
    server.stop()


@pytest.fixture
def credentials():
    """Complete credentials that look like Amazon's."""
    return Credentials(**SECRETS)


@pytest.fixture
def make_client(amazon, credentials):
    """Make clients of `amazon` that lose no time between attempts; closed after."""
    made = []

    def make(token_store=None, *, credentials=credentials, **options):
        options = {
            "connect_timeout": 5.0,
            "read_timeout": 5.0,
            "max_retry_wait": 0.01,
            **options,
        }
        client = SellerClient(
            credentials, Endpoint.simulator(amazon.url), token_store, **options
        )
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(make_client):
    """One client of `amazon`."""
    return make_client()


@pytest.fixture
def hasty_client(make_client):
    """A client that has a token and does not wait long for an answer."""
    store = MemoryTokenStore()
    store.save("Atza|kept", time.time() + 3600)
    return make_client(store, read_timeout=0.3)


@pytest.fixture
def contract():
    """The folder with Amazon's models; where it is absent the test is skipped."""
    if not CONTRACT.is_dir():
        pytest.skip("Amazon's models are not beside this repository (shared/contract)")
    return CONTRACT
