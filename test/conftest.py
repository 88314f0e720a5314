"""Shared by all Python tests: the modules of test/support, and one throwaway PostgreSQL for the whole run."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))

from cluster import Cluster  # noqa: E402

pytest_plugins = ["pace"]


def pytest_addoption(parser):
    parser.addoption("--postgresql", type=int, metavar="N", help="the server's version; Debian's unless given")


def pytest_configure(config):
    config.addinivalue_line("markers", "sanitizers: one of the few that script/test --full runs on asan and tsan builds")
    config.addinivalue_line("markers", "release_only: not one of them, though its file is: it takes long, in the database")
    config.addinivalue_line("markers", "every_version: one of the few that script/test runs on each PostgreSQL")


@pytest.fixture(scope="session")
def server_version(request):
    return request.config.getoption("--postgresql")


@pytest.fixture(scope="session")
def cluster(server_version):
    """A PostgreSQL that tests share: each makes databases of its own in it."""
    with Cluster(version=server_version) as running:
        yield running
