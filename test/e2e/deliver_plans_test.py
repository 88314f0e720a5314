"""Plans are made once: those of an empty outbox must do for a full one."""

import pytest

from gateway import Gateway
from receiver import Receiver, answer
from sending import send
from tenants import SHARED_SECRET
from waiting import eventually

SETTINGS = {"META_APP_SECRET": SHARED_SECRET, "SOCIALSYNC_EGRESS_ALLOW": "127.0.0.0/8", "SOCIALSYNC_EGRESS_HTTP": "1"}
ROWS = 50_000
EVENTS = 40
# Rows of an ordered endpoint: seven conversations whose first delivery is leased.
FILL = """
    INSERT INTO webhook_deliveries (event_id, endpoint_id, due_at, attempts, conversation, position)
    SELECT gen_random_uuid(), e.id, now() + CASE WHEN e.is_ordered AND n > 7 THEN '0' ELSE interval '1 day' END, 1,
           CASE WHEN e.is_ordered THEN n %% 7 END, n - 1000000
    FROM webhook_endpoints AS e, generate_series(1, %s) AS n
"""
# Rows of tables and entries of indexes.
READ = """
    SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname ~ '^webhook_(deliveries|logs)')
         + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname ~ '^webhook_(deliveries|logs)')
"""


@pytest.mark.parametrize("is_ordered", [False, True], ids=["in any order", "in order"])
def test_a_full_outbox_is_read_by_its_keys(database_url, database, is_ordered):
    with Receiver(answer(500), answer()) as receiver:
        account = database.add_account(webhook_url=receiver.url())
        database.rows("UPDATE webhook_endpoints SET is_ordered = %s", is_ordered)
        tables = database.rows("SELECT c.oid::regclass::text AS name FROM pg_class AS c WHERE c.relkind = 'r' "
                               "AND c.relname ~ '^webhook_(deliveries|logs)'")
        for table in tables:
            database.rows("VACUUM ANALYZE " + table["name"])
        with Gateway(database_url, **SETTINGS) as gateway:
            gateway.settle(database)
            send(gateway, account, 1)  # fails, and arrives with the next attempt: each statement has its plan now
            eventually(lambda: len(receiver.received) == 2)
            database.rows(FILL, ROWS)
            send(gateway, account, EVENTS)
            eventually(lambda: len(receiver.received) == 2 + EVENTS, timeout_s=60)
        # The numbers are there when the gateway's connections are gone.
        eventually(lambda: database.value("SELECT count(*) FROM pg_stat_activity WHERE application_name ~ 'socialsync'") == 0)
        assert database.value(READ) < 2 * ROWS  # each claim of an ordered endpoint reads about a thousand entries
