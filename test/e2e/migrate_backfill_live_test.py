"""`socialsync migrate backfill` while others work: writers, locks, a standby, kill -9."""

import contextlib
import json
import os
import signal
import subprocess
import threading
import time

import psycopg2
import pytest

from backfill import accounts, template  # noqa: F401: fixtures
from cluster import Cluster
from tenants import Database
from waiting import eventually


@pytest.fixture(scope="module")
def cluster(server_version):
    """Its own, without the databases of other files: a standby copies all of them."""
    with Cluster(tcp=True, version=server_version) as running:
        yield running


@pytest.fixture
def holder(cluster, accounts):
    """Another session, in a transaction that holds wa_aline's row."""
    connection = psycopg2.connect(cluster.dsn(accounts.name))
    connection.cursor().execute("UPDATE social_accounts SET username = username WHERE account_id = 'wa_aline'")
    yield connection
    connection.close()


def test_a_locked_row_is_passed_over_and_named(accounts, holder):
    report = accounts.must("--business-name-from-display-name", exit_code=4)
    assert report["locked"] == [accounts.id("wa_aline")] and report["changed"] == 2
    holder.commit()
    assert accounts.must("--business-name-from-display-name")["changed"] == 1


def test_a_row_that_is_free_again_is_done_in_the_second_pass(accounts, holder):
    running = accounts.start("--business-name-from-display-name")
    eventually(lambda: accounts.account("ig_bruno")["business_name"])
    holder.commit()
    report = json.loads(running.communicate(timeout=60)[0])
    assert (running.returncode, report["changed"], report["locked"]) == (0, 3, [])


def test_writers_hardly_notice(accounts, cluster):
    accounts.add_many(8_000)
    latencies, stop = [], threading.Event()

    def write():
        database = Database(cluster.dsn(accounts.name))
        n = 0
        while not stop.is_set():
            n = n % 20_000 + 7
            began = time.monotonic()
            database.rows("UPDATE social_accounts SET username = 'busy' WHERE platform = 'x' AND account_id = %s", f"many_{n}")
            latencies.append(time.monotonic() - began)
        database.close()

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    report = accounts.must("--business-name-from-display-name")
    stop.set()
    for writer in writers:
        writer.join()
    print(f"{len(latencies)} updates, the longest {max(latencies) * 1000:.0f} ms, the longest batch {report['max_batch_ms']} ms")
    assert accounts.value("SELECT count(*) FROM social_accounts WHERE business_name IS NULL") == 0
    assert len(latencies) > 50 and max(latencies) < 1
    assert report["batches"] > 3


def test_many_accounts_are_overwritten_in_short_batches(accounts):
    """No plan reads the whole table for each batch."""
    accounts.add_many(8_000)
    accounts.must("--business-name-from-display-name")
    accounts.rows("UPDATE social_accounts SET business_name = 'All the same' WHERE platform = 'x'")
    whole_reads = "SELECT seq_scan FROM pg_stat_user_tables WHERE relid = 'social_accounts'::regclass"
    before = accounts.value(whole_reads)
    report = accounts.must("--business-name-from-display-name", "--overwrite")
    assert report["changed"] == 8_000
    assert accounts.value(whole_reads) - before < min(report["batches"], 10)
    assert accounts.must("--undo", report["run"])["changed"] == 8_000
    assert accounts.value("SELECT count(*) FROM social_accounts WHERE business_name = 'All the same'") == 8_000


def test_a_killed_run_is_continued(accounts):
    accounts.add_many(1200)
    accounts.slow_down()
    running = accounts.start("--business-name-from-display-name")
    done = "SELECT count(*) FROM social_accounts WHERE business_name IS NOT NULL"
    some = eventually(lambda: accounts.value(done))
    running.kill()
    running.communicate()
    assert some < 1203
    accounts.rows("DROP TRIGGER slow ON social_accounts")
    left = eventually(lambda: not accounts.value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                                                 "AND application_name = 'socialsync migrate'") and 1203 - accounts.value(done))
    assert accounts.must("--business-name-from-display-name")["changed"] == left
    assert accounts.value(done) == 1203


def test_an_interrupt_ends_it_after_the_batch(accounts):
    accounts.add_many(1200)
    accounts.slow_down()
    running = accounts.start("--business-name-from-display-name")
    eventually(lambda: accounts.value("SELECT count(*) FROM social_accounts WHERE business_name IS NOT NULL"))
    running.send_signal(signal.SIGINT)
    report = json.loads(running.communicate(timeout=60)[0])
    assert running.returncode == 130 and report["interrupted"] and 0 < report["changed"] < 1203
    assert accounts.value("SELECT count(*) FROM social_accounts WHERE business_name IS NOT NULL") == report["changed"]


def test_batches_become_smaller_where_rows_are_slow(accounts):
    accounts.add_many(800)
    accounts.slow_down()
    report = accounts.must("--business-name-from-display-name")
    assert (report["changed"], report["batches"]) == (803, 3)  # 500, 250, the rest


class Standby(Cluster):
    """A copy of a server that follows it, two seconds late."""

    def __init__(self, primary):
        super().__init__(settings={"recovery_min_apply_delay": "2s", "wal_receiver_status_interval": "1s"})
        self._primary = primary

    def _make_data(self):
        account = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        subprocess.run([self._primary.tool("pg_basebackup"), "-D", self.data_dir, "-d", self._primary.dsn(), "-R", "-c", "fast",
                        "--no-sync"], check=True, cwd=self.host, **account)
        return self._primary.password


def test_it_pauses_while_a_standby_is_behind(accounts, cluster):
    paused = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'socialsync migrate' AND query LIKE '%%replay_lag%%'"
    with Standby(cluster), writing(accounts, cluster):
        eventually(lambda: accounts.value("SELECT max(replay_lag) > '1.5 s' FROM pg_stat_replication"))
        running = accounts.start("--business-name-from-display-name", "--max-lag", "0.5")
        eventually(lambda: accounts.value(paused))
        time.sleep(0.7)
        assert running.poll() is None and accounts.account("wa_aline")["business_name"] is None
    report = json.loads(running.communicate(timeout=60)[0])
    assert report["throttled_ms"] >= 400 and report["changed"] == 3


@contextlib.contextmanager
def writing(accounts, cluster):
    """Transactions of another session, one after another."""
    stop = threading.Event()

    def write():
        database = Database(cluster.dsn(accounts.name))
        while not stop.wait(0.02):
            database.rows("UPDATE users SET full_name = full_name")
        database.close()

    writer = threading.Thread(target=write)
    writer.start()
    yield
    stop.set()
    writer.join()


def test_one_at_a_time(accounts):
    accounts.rows("SELECT pg_advisory_lock(hashtextextended('socialsync webhooks migration', 0))")
    assert accounts.must("--business-name-from-display-name", exit_code=7)["error"]["code"] == "other_run"
