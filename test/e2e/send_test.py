"""`socialsync send`: signed, Meta-shaped test webhooks, for users without a Meta app."""

import pathlib
import socket
import subprocess
import tempfile

import pytest

import meta
import program
from tenants import SHARED_SECRET, new_key, new_secret
from waiting import eventually

PLATFORMS = {"whatsapp": "whatsapp", "instagram": "instagram", "messenger": "facebook"}


@pytest.fixture(scope="module")
def accounts(database, gateway):
    """By platform; one whose secret is its own."""
    made = {name: database.add_account(label) for name, label in PLATFORMS.items()}
    made["own"] = database.add_account(secret=f"{new_secret()},{new_secret()}")
    gateway.settle(database)
    return made


def send(gateway, *arguments, **settings):
    """Runs it against the gateway; the secret comes from the environment."""
    settings = {"META_APP_SECRET": SHARED_SECRET, "SOCIALSYNC_LISTEN": f"127.0.0.1:{gateway.port}", **settings}
    done = program.run("send", *arguments, **settings)
    assert meta.SECRET not in done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def no_database(tmp_path_factory):
    """Keeps it away from any database but the given one."""
    return {"SOCIALSYNC_DATA_DIR": tmp_path_factory.mktemp("none")}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_each_platform(gateway, database, accounts, no_database, platform):
    account = accounts[platform]
    done = send(gateway, platform, "--to", account.key, "--text", 'Ça "va" ?', **no_database)
    assert (done.returncode, done.stdout) == (0, f"1 × 200 (1 event each) to {account.key}\n")
    [row] = database.logs(account)
    assert (row["webhook_type"], row["customer_identifier"]) == ("messages", meta.CUSTOMER)
    assert 'Ça \\"va\\" ?' in row["payload_text"]


def test_count_and_batch(gateway, database, accounts, no_database):
    account = accounts["whatsapp"]
    before = len(database.logs(account))
    done = send(gateway, "whatsapp", "--to", account.key, "--count", "5", "--batch", "20", **no_database)
    assert (done.returncode, done.stdout) == (0, f"5 × 200 (20 events each) to {account.key}\n")
    assert len(database.logs(account)) == before + 100


def test_the_secret_is_found_in_the_database(gateway, database, accounts, database_url):
    account = accounts["own"]
    done = send(gateway, "whatsapp", "--to", account.key, DATABASE_URL=database_url, META_APP_SECRET="")
    assert done.returncode == 0
    assert len(database.logs(account)) == 1


def test_all_is_found_in_the_environment(gateway, database, accounts, no_database):
    account = accounts["whatsapp"]
    before = len(database.logs(account))
    assert send(gateway, "whatsapp", WHATSAPP_PHONE_NUMBER_ID=account.key, **no_database).returncode == 0
    assert len(database.logs(account)) == before + 1


def test_a_refused_webhook(gateway, accounts, no_database):
    done = send(gateway, "whatsapp", "--to", accounts["whatsapp"].key, META_APP_SECRET=new_secret(), **no_database)
    assert done.returncode == 4
    assert "1 × 401" in done.stdout


def test_an_unreachable_gateway(gateway, no_database):
    done = send(gateway, "whatsapp", "--to", new_key(), "--url", "http://127.0.0.1:1", **no_database)
    assert done.returncode == 1
    assert "no answer" in done.stderr


@pytest.mark.parametrize("arguments, settings, named", [
    (["whatsapp"], {}, "--to"),
    (["instagram", "--to", "1"], {"META_APP_SECRET": ""}, "--secret"),
])
def test_missing_values_are_named(gateway, no_database, arguments, settings, named):
    done = send(gateway, *arguments, **settings, **no_database)
    assert done.returncode == 2
    assert named in done.stderr


def test_the_secret_is_not_in_the_command_line(gateway, accounts, no_database):
    """Nor in that of any process it starts."""
    settings = {"META_APP_SECRET": SHARED_SECRET, **no_database}
    arguments = ["send", "whatsapp", "--to", accounts["whatsapp"].key, "--count", "100000",
                 "--url", f"http://127.0.0.1:{gateway.port}"]
    before = gateway.metric("socialsync_requests_total", result="committed")
    with tempfile.TemporaryDirectory() as folder:
        sender = subprocess.Popen([program.binary(), *arguments], env=program.environment(settings), cwd=folder,
                                  stdout=subprocess.DEVNULL)
    try:
        eventually(lambda: gateway.metric("socialsync_requests_total", result="committed") > before)
        for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                assert SHARED_SECRET.encode() not in path.read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has ended
    finally:
        sender.kill()
        sender.wait()


def is_hidden(arguments, secret):
    return b"--secret" in arguments and secret.encode() not in arguments


@pytest.mark.parametrize("form", [["--secret", "{}"], ["--secret={}"]])
def test_a_secret_on_the_command_line_is_overwritten_there(form):
    secret = new_secret()
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the request, and never answers
        arguments = [part.format(secret) for part in form]
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        sending = subprocess.Popen([program.binary(), "send", "whatsapp", "--to", "1", "--url", url, *arguments],
                                   env=program.environment({}), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            silent.accept()
            # A connection of another process may come first, while this one is not the program yet.
            eventually(lambda: is_hidden(pathlib.Path(f"/proc/{sending.pid}/cmdline").read_bytes(), secret))
        finally:
            sending.kill()
            sending.wait()
