"""A migrated database as a test sees it: tenants go in, rows come out."""

import itertools
from dataclasses import dataclass

import psycopg2
import psycopg2.extras

import meta

SHARED_SECRET = f"{meta.SECRET}-shared"  # for accounts without a secret of their own, as META_APP_SECRET

_numbers = itertools.count(100_000_000_000_001)


def new_key():
    """A new phone number id, page id or WABA id."""
    return str(next(_numbers))


@dataclass
class Account:
    id: str
    user_id: str
    key: str  # phone_number_id or page_id
    secret: str  # its own, or None


class Database:
    """One connection, which commits each statement."""

    def __init__(self, dsn):
        self._connection = psycopg2.connect(dsn)
        self._connection.autocommit = True

    def rows(self, sql, *values):
        """Each row a dict."""
        with self._connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
            cursor.execute(sql, values or None)
            return [dict(row) for row in cursor.fetchall()] if cursor.description else []

    def value(self, sql, *values):
        return next(iter(self.rows(sql, *values)[0].values()))

    def add_user(self):
        return self.value("INSERT INTO users (email) VALUES (%s) RETURNING id", f"user{new_key()}@example.com")

    def add_account(self, platform="whatsapp", secret=None, user_id=None, **columns):
        """An account with a key of its own; `secret` becomes its app_secret."""
        user_id = user_id or self.add_user()
        key = columns.pop("key", None) or new_key()
        key_column = "phone_number_id" if platform.startswith("whatsapp") else "page_id"
        all_columns = {
            "platform": platform, "account_id": f"{platform}_{key}", "username": "someone", "user_id": user_id,
            "business_name": f"Business {key}", "app_secret": secret, key_column: key, **columns,
        }
        names = ", ".join(all_columns)
        marks = ", ".join(["%s"] * len(all_columns))
        account_id = self.value(
            f"INSERT INTO social_accounts ({names}) VALUES ({marks}) RETURNING id", *all_columns.values())
        return Account(account_id, user_id, key, secret)

    def logs(self, account):
        """Its rows of webhook_logs, oldest first; payload_text is the payload as text."""
        return self.rows("SELECT *, payload::text AS payload_text FROM webhook_logs WHERE social_account_id = %s "
                         "ORDER BY created_at, id", account.id)

    def log_count(self, external_message_id):
        return self.value("SELECT count(*) FROM webhook_logs WHERE external_message_id = %s", external_message_id)

    def quarantined(self, routing_key):
        return [{**row, "body": bytes(row["body"])} for row in
                self.rows("SELECT * FROM webhook_quarantine WHERE routing_key = %s ORDER BY created_at", routing_key)]

    def quarantined_body(self, body):
        """The rows that hold exactly these bytes."""
        return self.rows("SELECT * FROM webhook_quarantine WHERE body = %s", psycopg2.Binary(body))

    def row_count(self):
        """How many rows webhooks have made."""
        return self.value("SELECT (SELECT count(*) FROM webhook_logs) + (SELECT count(*) FROM webhook_quarantine)")

    def close(self):
        self._connection.close()


def new_secret():
    return f"{meta.SECRET}-{new_key()}"
