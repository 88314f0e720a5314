"""What every Python test shares: the modules of test/support, and one throwaway PostgreSQL for the whole run."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))

from cluster import Cluster  # noqa: E402


@pytest.fixture(scope="session")
def cluster():
    """A PostgreSQL that tests share: each makes databases of its own in it."""
    with Cluster() as running:
        yield running
