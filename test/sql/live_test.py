"""The update, the partitions and the notices while others use the database."""

import select
import subprocess
import threading
import time

import pytest
from schema import ALINE, ROLLBACK, UPDATES
from waiting import eventually

INSERT_LOG = "INSERT INTO webhook_logs (platform, webhook_type, payload) VALUES ('x', 'messages', '{}')"


class Writer(threading.Thread):
    """Updates social_accounts all the time; knows its longest wait."""

    def __init__(self, connection, statement):
        super().__init__()
        self._connection, self._statement = connection, statement
        self._connection.autocommit = True
        self.longest_s, self.error, self._end = 0.0, None, threading.Event()

    def run(self):
        cursor = self._connection.cursor()
        while not self._end.is_set():
            started = time.monotonic()
            try:
                cursor.execute(self._statement)
            except Exception as error:  # told by the test
                self.error = error
                return
            self.longest_s = max(self.longest_s, time.monotonic() - started)
            time.sleep(0.002)

    def finish(self):
        self._end.set()
        self.join()
        assert self.error is None


HOLD_UP_S = 0.7  # several attempts to get the lock
HELD_UP = """
    SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'psql'
      AND pid <> pg_backend_pid() AND (wait_event_type = 'Lock' OR wait_event = 'PgSleep')"""


def hold_up(database):
    """Returns when psql has waited for a lock for some time."""
    eventually(lambda: database.sql(HELD_UP) == "t")
    time.sleep(HOLD_UP_S)


def test_writers_go_on_while_a_reader_blocks_the_update(legacy, connect):
    """A long report holds up the update, which must not make others queue behind it."""
    writer = Writer(connect(legacy), f"UPDATE social_accounts SET display_name = 'x' WHERE user_id = '{ALINE}'")
    reader = connect(legacy)
    reader.cursor().execute("SELECT count(*) FROM social_accounts, users")
    writer.start()
    run = subprocess.Popen([legacy.cluster.tool("psql"), "-X", "-d", legacy.cluster.dsn(legacy.name), "-f", UPDATES],
                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    hold_up(legacy)
    assert run.poll() is None, "the reader did not hold it up"
    reader.commit()
    assert (run.communicate(timeout=60)[1], run.returncode) == ("", 0)
    writer.finish()
    # A lock is tried for 100 ms at most; the rest is for a busy machine.
    assert writer.longest_s < 1.0


RECORD_DDL = """
    CREATE TABLE ddl (transaction xid8, command text, tbl text);
    CREATE FUNCTION record_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO public.ddl SELECT pg_current_xact_id(), command_tag, substring(object_identity FROM '[^ ]*$')
      FROM pg_event_trigger_ddl_commands();
    END $$;
    CREATE EVENT TRIGGER record_ddl ON ddl_command_end WHEN TAG IN ('ALTER TABLE', 'CREATE POLICY')
      EXECUTE FUNCTION record_ddl()"""


def test_no_lock_is_held_over_the_next_step(legacy):
    """Between two steps the data may be looked at, or another table's lock be waited for: by then all are let go."""
    legacy.sql(RECORD_DDL)
    legacy.sql("DELETE FROM social_accounts")  # all CHECKs can be made
    legacy.must_update()
    assert legacy.sql("SELECT count(*) > 5 FROM ddl WHERE command = 'ALTER TABLE' AND tbl = 'public.social_accounts'") == "t"
    of_several_steps = legacy.sql("""
        SELECT transaction, array_agg(command || ' ' || tbl) FROM ddl GROUP BY transaction
        HAVING bool_or(tbl = 'public.social_accounts')
           AND (count(*) FILTER (WHERE command = 'ALTER TABLE') > 1 OR count(DISTINCT tbl) > 1)
           OR count(*) FILTER (WHERE command = 'ALTER TABLE' AND tbl = 'public.webhook_logs') > 1""")
    assert of_several_steps == ""


@pytest.mark.parametrize("held", ["LOCK TABLE social_accounts IN SHARE UPDATE EXCLUSIVE MODE",
                                  "SELECT count(*) FROM webhook_quarantine"])
def test_writers_of_users_go_on_while_something_else_blocks_the_rollback(updated, connect, held):
    writer = Writer(connect(updated), f"UPDATE users SET full_name = 'x' WHERE id = '{ALINE}'")
    holder = connect(updated)
    holder.cursor().execute(held)
    writer.start()
    run = subprocess.Popen([updated.cluster.tool("psql"), "-X", "-d", updated.cluster.dsn(updated.name), "-f", ROLLBACK],
                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    hold_up(updated)
    assert run.poll() is None, "it was not held up"
    holder.commit()
    assert (run.communicate(timeout=60)[1], run.returncode) == ("", 0)
    writer.finish()
    assert writer.longest_s < 0.8


@pytest.mark.parametrize("seconds", [0.05, 0.15, 0.3, 0.5, 0.8])
def test_killed_at_any_moment_it_can_be_run_again(legacy, seconds):
    run = subprocess.Popen([legacy.cluster.tool("psql"), "-X", "-d", legacy.cluster.dsn(legacy.name), "-f", UPDATES],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    run.kill()
    run.wait()
    deadline = time.monotonic() + 20
    while (done := legacy.update()).returncode != 0:
        assert "another run" in done.stderr and time.monotonic() < deadline, done.stderr
    assert "made" not in legacy.must_update()


def test_a_reader_of_logs_does_not_stop_inserts_while_partitions_are_made(updated, connect):
    reader, inserter = connect(updated), connect(updated)
    reader.cursor().execute("SELECT count(*) FROM webhook_logs")
    maintenance = subprocess.Popen(
        [updated.cluster.tool("psql"), "-X", "-At", "-d", updated.cluster.dsn(updated.name),
         "-c", "SELECT count(*) FROM socialsync.maintain_partitions(6)"], stdout=subprocess.PIPE, text=True)
    writer = Writer(inserter, INSERT_LOG)
    writer.start()
    hold_up(updated)
    assert maintenance.poll() is None, "the reader did not hold it up"
    reader.commit()
    assert maintenance.communicate(timeout=60)[0] == "2\n"
    writer.finish()
    assert writer.longest_s < 1.0


def test_two_may_maintain_partitions_at_once(updated):
    command = [updated.cluster.tool("psql"), "-X", "-At", "-d", updated.cluster.dsn(updated.name),
               "-c", "SELECT count(*) FILTER (WHERE partition LIKE '%webhook_logs%') FROM socialsync.maintain_partitions(30)"]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    ended = [(*run.communicate(timeout=60), run.returncode) for run in runs]
    assert [(error, status) for _, error, status in ended] == [("", 0)] * 4
    assert sum(int(made) for made, _, _ in ended) == 26
    assert updated.sql("SELECT count(*) FROM pg_inherits WHERE inhparent = 'webhook_logs'::regclass") == "34"


def test_two_may_maintain_partitions_of_attempts_at_once(updated):
    command = [updated.cluster.tool("psql"), "-X", "-At", "-d", updated.cluster.dsn(updated.name),
               "-c", "SELECT count(*) FROM socialsync.maintain_attempts(30, NULL)"]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    ended = [(*run.communicate(timeout=60), run.returncode) for run in runs]
    assert [(error, status) for _, error, status in ended] == [("", 0)] * 4
    assert sum(int(made) for made, _, _ in ended) == 26


@pytest.mark.every_version
def test_rows_that_arrive_while_their_partition_is_made_are_kept(updated, connect):
    this_week = updated.sql("SELECT min(name) FROM socialsync.weekly_partitions() WHERE ends_at > now()")
    writer = Writer(connect(updated), INSERT_LOG)
    updated.sql(f"DROP TABLE socialsync.{this_week}")
    writer.start()
    time.sleep(0.2)
    made = updated.sql("SELECT action FROM socialsync.maintain_partitions()")
    time.sleep(0.2)
    writer.finish()
    assert "rows of the default partition" in made
    assert updated.sql("SELECT count(*) FROM socialsync.webhook_logs_default") == "0"
    assert int(updated.sql("SELECT count(*) FROM webhook_logs")) > 10


NOTICED = {
    "insert": f"""INSERT INTO social_accounts (platform, account_id, username, user_id)
                  VALUES ('x', 'x', 'x', '{ALINE}')""",
    "phone number id": "UPDATE social_accounts SET phone_number_id = '1' WHERE platform = 'whatsapp'",
    "secret": "UPDATE social_accounts SET app_secret = 'new' WHERE platform = 'whatsapp'",
    "events": "UPDATE social_accounts SET webhook_events = ARRAY['messages']",
    "closed": "UPDATE social_accounts SET is_active = false",
    "delete": "DELETE FROM social_accounts",
    "delete of its user": f"DELETE FROM users WHERE id = '{ALINE}'",
    "truncate": "TRUNCATE social_accounts CASCADE",
}
UNNOTICED = {
    "last webhook": "UPDATE social_accounts SET last_webhook_at = now(), webhook_status = 'active'",
    "log": "SELECT log_webhook(id, platform, 'messages', '{}') FROM social_accounts",
    "name": "UPDATE social_accounts SET display_name = 'new', business_name = 'new'",
}


@pytest.mark.parametrize("statement, notices",
                         [(s, 1) for s in NOTICED.values()] + [(s, 0) for s in UNNOTICED.values()],
                         ids=[*NOTICED, *UNNOTICED])
def test_gateways_are_told_of_what_they_route_by(updated, connect, statement, notices):
    listener = connect(updated)
    listener.autocommit = True
    listener.cursor().execute("LISTEN socialsync_accounts")
    updated.sql(statement + "; NOTIFY socialsync_accounts, 'end of test'")
    while not any(notice.payload for notice in listener.notifies):
        assert select.select([listener], [], [], 10)[0]
        listener.poll()
    assert [notice.payload for notice in listener.notifies] == [""] * notices + ["end of test"]
