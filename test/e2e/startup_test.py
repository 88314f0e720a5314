"""`serve` refuses invalid settings and databases at once, with its exit code, and shows no secret."""

import socket

import pytest

import meta
import program

ANYWHERE = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing", "SOCIALSYNC_LISTEN": "127.0.0.1:0"}
VALUE = f"{meta.SECRET}-value"


def serve(**settings):
    """Runs it to its end; nothing it says may hold a secret."""
    done = program.run("serve", **{**ANYWHERE, **settings})
    assert meta.SECRET not in done.stdout + done.stderr
    return done


def test_a_database_that_is_not_migrated(cluster):
    cluster.create_database("empty")
    done = serve(DATABASE_URL=cluster.url("empty"))
    assert done.returncode == 3
    assert "socialsync migrate sql" in done.stderr


def test_no_database():
    done = serve(DATABASE_URL="")
    assert done.returncode == 2
    assert "DATABASE_URL" in done.stderr and "DB_HOST" in done.stderr


@pytest.mark.parametrize("name, value", [
    ("SOCIALSYNC_RETENTION", VALUE),
    ("SOCIALSYNC_", VALUE),
    ("SOCIALSYNC_SECRETS_KEY", VALUE),
    ("SOCIALSYNC_EGRESS_ALLOW", "10.0.0.1/8"),
    ("SOCIALSYNC_EGRESS_HTTP", "yes"),
    ("SOCIALSYNC_EGRESS_PROXY", f"ftp://user:{VALUE}@proxy"),
    ("SOCIALSYNC_LISTEN", "nowhere"),
    ("SOCIALSYNC_LISTEN", "127.0.0.1:"),
    ("SOCIALSYNC_LISTEN", "127.0.0.1:65536"),
    ("SOCIALSYNC_DEV", VALUE),
    ("SOCIALSYNC_RETENTION_DAYS", "0"),
    ("SOCIALSYNC_RETENTION_DAYS", "a week"),
    ("SOCIALSYNC_RETENTION_DAYS", "7 "),
    ("SOCIALSYNC_LOG", "xml"),
    ("SOCIALSYNC_LOG_LEVEL", "everything"),
    ("DATABASE_URL", f"postgresql://user:{VALUE}@[::1/socialsync"),
    ("DATABASE_URL", f"postgresql://user:{VALUE}@localhost/socialsync?{VALUE}=1"),
    ("DATABASE_URL", f"password={VALUE} {VALUE}"),
    ("DB_PORT", "five"),
])
def test_an_invalid_setting(name, value):
    instead = {"DATABASE_URL": "", "DB_HOST": "127.0.0.1"} if name == "DB_PORT" else {}
    done = serve(**instead, **{name: value})
    assert done.returncode == 2
    assert f"socialsync: {name}: " in done.stderr


def test_all_problems_are_reported_together():
    done = serve(SOCIALSYNC_DEV="maybe", SOCIALSYNC_LOG="xml", SOCIALSYNC_TYPO="1")
    assert [name in done.stderr for name in ("SOCIALSYNC_DEV", "SOCIALSYNC_LOG", "SOCIALSYNC_TYPO")] == [True] * 3


def test_a_port_that_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        done = serve(SOCIALSYNC_LISTEN=address)
    assert done.returncode == 1
    assert address in done.stderr


@pytest.mark.parametrize("arguments", [["sreve"], ["serve", "--port", "1"], ["send"], ["send", "telegram"],
                                       ["send", "whatsapp", "--count", "0"]])
def test_wrong_usage(arguments):
    assert program.run(*arguments).returncode == 2


@pytest.mark.parametrize("command", ["up", "serve", "send", "migrate sql"])
def test_help_has_an_example(command):
    done = program.run(*command.split(), "--help")
    assert done.returncode == 0
    assert f"socialsync {command}" in done.stdout
