"""The database of a benchmark: a durable cluster with the schema and the load's tenants, fresh for each run."""

import contextlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "test/support"))  # behind our own: both have a load.py

from cluster import Cluster  # noqa: E402

TEMPLATE = "bench_template"

# The ids and numbers of bench/whatsapp_load.cpp.
MAKE_TENANTS = """
    INSERT INTO users (id, email)
    SELECT ('aaaaaaaa-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'tenant' || n || '@example.com'
    FROM generate_series(0, {tenants} - 1) AS n;

    INSERT INTO social_accounts (id, user_id, platform, account_id, username, phone_number_id)
    SELECT ('bbbbbbbb-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid,
           ('aaaaaaaa-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid,
           'whatsapp', 'account' || n, 'tenant' || n, '1' || lpad(n::text, 14, '0')
    FROM generate_series(0, {tenants} - 1) AS n;

    VACUUM ANALYZE;
"""

# Rows; rows whose message another row has too; rows that are not their account's.
CHECK = """
    SELECT count(*), count(*) - count(DISTINCT external_message_id),
           count(*) FILTER (WHERE account.phone_number_id IS DISTINCT FROM
                                  payload #>> '{entry,0,changes,0,value,metadata,phone_number_id}'
                               OR account.user_id IS DISTINCT FROM log.user_id)
    FROM webhook_logs AS log LEFT JOIN social_accounts AS account ON account.id = log.social_account_id
"""


class WrongAnswer(Exception):
    """The measured program did not do its work."""


@contextlib.contextmanager
def cluster(tenants):
    """PostgreSQL's own settings: fsync, full_page_writes and synchronous_commit are on."""
    with Cluster(durable=True) as made:
        made.create_database(TEMPLATE)
        made.psql(TEMPLATE, file=ROOT / "sql/schema_updates_webhooks.sql")
        made.psql(TEMPLATE, MAKE_TENANTS.format(tenants=tenants))
        yield made


@contextlib.contextmanager
def database(on, name):
    """A copy of the template, dropped at the end; gives its URL, by the unix socket."""
    on.create_database(name, template=TEMPLATE)
    on.psql(name, "CHECKPOINT")
    try:
        yield f"postgresql:///{name}?host={on.host}&port={on.port}&user={on.user}"
    finally:
        on.drop_database(name)


def check(on, name, answered, sent):
    """Every answered message is a row, no message is two rows, and each is its own tenant's."""
    rows, twice, strange = (int(number) for number in on.psql(name, CHECK).split("|"))
    if not answered <= rows <= sent:
        raise WrongAnswer(f"{name}: {answered} answered and {sent} sent, but {rows} rows")
    if twice or strange:
        raise WrongAnswer(f"{name}: {twice} rows twice, {strange} rows of another tenant")
