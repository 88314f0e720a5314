"""Fixtures for the tests of the built binary: one PostgreSQL, a migrated database for each file, a gateway on it."""

import pytest

from cluster import Cluster
from gateway import Gateway
from suite import ROOT
from tenants import SHARED_SECRET, Database

TEMPLATE = "migrated"


@pytest.fixture(scope="session")
def cluster(server_version):
    """Reached by TCP and with a password, as in production."""
    with Cluster(tcp=True, version=server_version) as running:
        running.create_database(TEMPLATE)
        running.psql(TEMPLATE, file=ROOT / "sql/schema_updates_webhooks.sql")
        yield running


@pytest.fixture(scope="module")
def database_name(cluster, request):
    name = request.module.__name__
    cluster.create_database(name, template=TEMPLATE)
    yield name
    cluster.drop_database(name)


@pytest.fixture(scope="module")
def database(cluster, database_name):
    opened = Database(cluster.dsn(database_name))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def database_url(cluster, database_name):
    return cluster.url(database_name)


@pytest.fixture(scope="module")
def gateway(database_url):
    """Accounts without a secret of their own are under SHARED_SECRET."""
    with Gateway(database_url, META_APP_SECRET=SHARED_SECRET) as running:
        yield running


@pytest.fixture
def client(gateway):
    connected = gateway.client()
    yield connected
    connected.close()


@pytest.fixture
def open_database(cluster, database_name):
    """A new connection: the end of PostgreSQL closed the former ones."""
    opened = []

    def connect():
        opened.append(Database(cluster.dsn(database_name)))
        return opened[-1]

    yield connect
    for database in opened:
        database.close()
