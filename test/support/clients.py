"""Clients of a database that is migrated: each does the same thing again and again, and must never fail."""

import threading
import time

import psycopg2

UPDATE = "UPDATE social_accounts SET username = username WHERE id = (SELECT id FROM social_accounts ORDER BY random() LIMIT 1)"
READ = "SELECT a.username, u.email FROM social_accounts AS a JOIN users AS u ON u.id = a.user_id LIMIT 20"
INSERT = """
    WITH u AS (INSERT INTO users (email) VALUES (gen_random_uuid() || '@example.net') RETURNING id)
    INSERT INTO social_accounts (platform, account_id, username, display_name, user_id)
    SELECT 'youtube', 'new ' || id, 'new', 'New', id FROM u"""


class Client(threading.Thread):
    def __init__(self, dsn, statement):
        super().__init__()
        self._connection = psycopg2.connect(dsn)
        self._connection.autocommit = True
        self._statement = statement
        self._ended = threading.Event()
        self.done, self.error, self.longest_s = 0, None, 0

    def run(self):
        try:
            while not self._ended.is_set():
                began_s = time.monotonic()
                self._connection.cursor().execute(self._statement)
                self.longest_s = max(self.longest_s, time.monotonic() - began_s)
                self.done += 1
                time.sleep(0.001)
        except psycopg2.Error as error:
            self.error = error

    def finish(self):
        self._ended.set()
        self.join()
        self._connection.close()


class Clients:
    """They work while this is entered; at its end none has failed, and each did something."""

    def __init__(self, database, statements):
        self._all = [Client(database.cluster.dsn(database.name), statement) for statement in statements]

    def __enter__(self):
        for client in self._all:
            client.start()
        return self

    def __exit__(self, failure, *_):
        for client in self._all:
            client.finish()
        if failure is None:
            assert [client.error for client in self._all] == [None] * len(self._all)
            assert all(client.done for client in self._all)
            print(f"{self.done} transactions, the longest {self.longest_s * 1000:.0f} ms")

    @property
    def done(self):
        return sum(client.done for client in self._all)

    @property
    def longest_s(self):
        return max(client.longest_s for client in self._all)
