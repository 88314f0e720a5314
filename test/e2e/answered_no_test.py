"""A command that asks and is answered no changes nothing, and exits with 0."""

import os
import pty
import subprocess

import pytest

import program


def answer_no(database_url, *arguments):
    ours, its = pty.openpty()
    os.write(ours, b"n\n")
    try:
        return subprocess.run([program.binary(), *arguments], stdin=its, capture_output=True, text=True, cwd="/tmp",
                              env=program.environment({"DATABASE_URL": database_url}), timeout=program.TIMEOUT_S, check=False)
    finally:
        os.close(ours)
        os.close(its)


@pytest.mark.parametrize("command", [
    "endpoints remove {endpoint}", "deliveries cancel --endpoint {endpoint}", "deliveries retry --endpoint {endpoint} --status any",
    "accounts remove {account}"])
def test_nothing_is_changed(database, database_url, command):
    account = database.add_account(webhook_url="https://bot.example/hook")
    endpoint = database.value("SELECT id FROM webhook_endpoints WHERE social_account_id = %s", account.id)
    database.rows("INSERT INTO webhook_deliveries (event_id, endpoint_id, due_at) VALUES (gen_random_uuid(), %s, 'infinity')", endpoint)
    before = database.rows("SELECT * FROM webhook_deliveries WHERE endpoint_id = %s", endpoint)
    done = answer_no(database_url, *command.format(endpoint=endpoint, account=account.id).split())
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert done.stderr.endswith("? [y/N] nothing was changed\n")
    assert database.rows("SELECT * FROM webhook_deliveries WHERE endpoint_id = %s", endpoint) == before
    assert database.value("SELECT count(*) FROM social_accounts WHERE id = %s", account.id) == 1
