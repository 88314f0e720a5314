"""The guide's end-to-end test, and the first steps with `socialsync up`: paste, look, stop, start again."""

import getpass
import json
import os
import signal
import time

import pytest

import guide
from client import Client
from gateway import Gateway
from up import Home
from waiting import eventually

SECOND_START_S = 5
SLACK_S = 5


@pytest.fixture(scope="module")
def home():
    """One data directory for all tests of this file; each starts and stops what it needs."""
    with Home() as made:
        yield made


@pytest.fixture
def running(home):
    yield home.up()
    home.stop()


def port(home):
    return home.url.rpartition(":")[2]


def run_guide(home):
    """The three steps of the guide; returns curl's answer and the rows of the last query."""
    home.psql(guide.ADD_TENANT)
    eventually(lambda: "test_verify_token" in home.psql("SELECT verify_token FROM social_accounts"))
    answer = json.loads(home.shell(guide.SEND.replace(":8000", f":{port(home)}")))
    return answer, home.rows(guide.LOOK)


def send_printed(home):
    """Runs the printed curl; returns its answer. Twice in one second, it sends the same message."""
    answer = json.loads(home.shell(home.printed("curl")))
    assert (answer["status"], answer["logged"] + answer["duplicates"], answer["quarantined"]) == ("success", 1, 0)
    return answer


def test_the_guide(running):
    answer, [row] = run_guide(running)
    assert (answer["status"], answer["logged"]) == ("success", 1)
    assert row["business_name"] and "@" in row["email"]
    assert (row["external_message_id"], row["customer_identifier"]) == ("msg_test_123", "33765540003")
    assert (row["webhook_type"], row["status"], row["platform"]) == ("messages", "received", "whatsapp_business")
    [event] = answer["events"]
    assert (event["id"], event["social_account_id"], event["user_id"]) == (
        row["id"], row["social_account_id"], row["user_id"])


def test_the_printed_commands_work(running):
    answer = send_printed(running)
    look = next(line for line in running.output().splitlines() if "psql" in line and "SELECT" in line)
    assert answer["events"][0]["id"] in running.shell(look)


def test_ctrl_c_stops_both_and_the_data_stay(home):
    home.up()
    send_printed(home)
    count = home.psql("SELECT count(*) FROM webhook_logs")
    assert home.postgresql_pid()
    assert home.stop(signal.SIGINT) == 0
    assert not home.postgresql_pid()

    began = time.monotonic()
    home.up()
    assert time.monotonic() - began < SECOND_START_S + SLACK_S
    assert home.psql("SELECT count(*) FROM webhook_logs") == count
    assert home.stop(signal.SIGTERM) == 0


def test_kill_9_stops_postgresql_too(home):
    home.up()
    assert home.postgresql_pid()
    home.stop(signal.SIGKILL)
    eventually(lambda: not home.postgresql_pid())
    home.up()
    assert home.stop() == 0


def test_restart_at_once_after_kill_9(home):
    """The next program waits for the database of the last."""
    home.up().stop(signal.SIGKILL)
    send_printed(home.up())
    assert home.stop() == 0


def test_a_database_that_dies_is_started_again(running):
    died = running.postgresql_pid()
    os.kill(died, signal.SIGKILL)
    eventually(lambda: running.postgresql_pid() not in (None, died))
    eventually(lambda: "success" in running.shell(running.printed("curl")))


def test_a_second_up_in_the_same_folder_is_refused(running):
    code, said = running.up_refused()
    assert code == 1
    assert str(running.data_dir) in said and "in use by another socialsync up" in said
    assert running.postgresql_pid()


def test_other_users_cannot_connect(home, running):
    assert home.data_dir.stat().st_mode & 0o777 == 0o700


def test_the_environment_defines_the_first_tenant():
    """The settings of the single-tenant days."""
    secrets = {"META_APP_SECRET": "s3cret-meta", "WHATSAPP_ACCESS_TOKEN": "s3cret-wa", "INSTAGRAM_ACCESS_TOKEN": "s3cret-ig"}
    keys = {"WHATSAPP_PHONE_NUMBER_ID": "683178638221369", "WHATSAPP_VERIFY_TOKEN": "s3cret-verify",
            "INSTAGRAM_PAGE_ID": "17841400000000001", "INSTAGRAM_VERIFY_TOKEN": "s3cret-verify-ig"}
    with Home() as home:
        home.up(**secrets, **keys)
        accounts = home.rows("SELECT platform, phone_number_id, page_id, access_token, app_secret, verify_token "
                             "FROM social_accounts ORDER BY platform::text")
        send_printed(home)
        home.stop()
        assert "s3cret" not in home.output()
    assert [tuple(account.values()) for account in accounts] == [
        ("instagram", None, "17841400000000001", "s3cret-ig", "s3cret-meta", "s3cret-verify-ig"),
        ("whatsapp_business", "683178638221369", None, "s3cret-wa", "s3cret-meta", "s3cret-verify")]


def test_the_environment_may_define_the_demo_tenant(home):
    """A user who has tried the demo, and then writes the guide's .env."""
    home.up().stop()
    home.up(WHATSAPP_PHONE_NUMBER_ID="683178638221369", META_APP_SECRET="s3cret-meta")
    accounts = home.rows("SELECT app_secret FROM social_accounts WHERE phone_number_id = '683178638221369'")
    assert accounts == [{"app_secret": "s3cret-meta"}]
    assert home.stop() == 0


@pytest.mark.skipif(getpass.getuser() != "root", reason="the other tests have shown it")
def test_without_root():
    with Home(user="postgres") as home:
        answer, rows = run_guide(home.up())
        assert (answer["logged"], len(rows)) == (1, 1)
        assert home.stop() == 0


@pytest.mark.parametrize("settings, status", [({}, 404), ({"SOCIALSYNC_DEV": "0"}, 404), ({"SOCIALSYNC_DEV": "1"}, 200)])
def test_serve_has_test_routes_for_developers_only(database_url, settings, status):
    with Gateway(database_url, **settings) as gateway:
        client = gateway.client()
        for name in ("whatsapp", "instagram"):
            assert client.post(f"/api/{name}/webhook-test", b'{"entry": []}').status == status
        assert client.post("/api/messenger/webhook-test", b'{"entry": []}').status == 404


def test_up_with_a_given_database_has_no_test_routes(cluster):
    """It migrates that database, and starts no PostgreSQL."""
    cluster.create_database("given")
    with Home() as home:
        home.up(DATABASE_URL=cluster.url("given"))
        assert not home.data_dir.exists()
        assert cluster.psql("given", "SELECT count(*) FROM webhook_logs") == "0"
        assert Client(int(port(home))).post("/api/whatsapp/webhook-test", b'{"entry": []}').status == 404
        assert home.stop() == 0
        assert cluster.password not in home.output()
