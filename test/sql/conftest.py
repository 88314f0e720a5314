"""Databases for the tests of the SQL files: each test its own."""

import itertools

import psycopg2
import pytest
from cluster import Cluster
from schema import make_database

numbers = itertools.count()


def _database(cluster, shape):
    return make_database(cluster, f"db{next(numbers)}", shape)


@pytest.fixture
def legacy(cluster):
    return _database(cluster, "legacy")


@pytest.fixture
def updated(cluster):
    """A legacy database after the update."""
    return _database(cluster, "updated")


@pytest.fixture
def empty(cluster):
    return _database(cluster, "empty")


@pytest.fixture
def supabase(server_version):
    """A server of its own, because its roles belong to the server."""
    with Cluster(version=server_version) as running:
        yield make_database(running, "project", "supabase")


@pytest.fixture(params=["empty", "legacy", "supabase"])
def database(request):
    """A database of each shape."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def connect(request):
    """connect(database, user=None): an open psycopg2 connection, closed after the test."""
    def open_connection(database, user=None):
        connection = psycopg2.connect(database.cluster.dsn(database.name, user))
        request.addfinalizer(connection.close)
        return connection
    return open_connection
