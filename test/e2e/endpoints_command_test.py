"""`socialsync endpoints …`: endpoints are added, changed and removed."""

import json

import program

def run(url, *arguments, code=0):
    done = program.run("endpoints", *arguments, DATABASE_URL=url)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def answer(url, *arguments):
    return json.loads(run(url, *arguments, "--output", "json").stdout)


def add(url, account, *arguments):
    return answer(url, "add", "--account", account.key, *arguments)


def row(database, endpoint):
    return database.rows("SELECT * FROM webhook_endpoints WHERE id = %s", endpoint)[0]


def test_the_first_is_the_webhook_url_and_ten_is_all(database, database_url):
    account = database.add_account()
    first = add(database_url, account, "--url", "https://bot.example/hook", "--format", "standard", "--ordered", "yes")
    assert first["added"]["place"] == 0
    stored = row(database, first["added"]["id"])
    assert (stored["format"], stored["is_ordered"]) == ("standard", True)
    assert first["secrets"] == {name: stored[name] for name in ("signing_secret", "app_secret")}
    assert database.value("SELECT webhook_url FROM social_accounts WHERE id = %s", account.id) == "https://bot.example/hook"
    places = [add(database_url, account, "--pull")["added"]["place"] for _ in range(9)]
    assert places == list(range(1, 10))
    refused = run(database_url, "add", "--account", account.id, "--pull", code=9)
    assert "all ten places are taken" in refused.stderr
    assert len(answer(database_url, "list", "--account", account.id)["endpoints"]) == 10


def test_an_empty_webhook_url_is_none(database, database_url):
    account = database.add_account(webhook_url="")
    assert answer(database_url, "list", "--account", account.key)["endpoints"] == []
    assert add(database_url, account, "--url", "https://bot.example/hook", "--skip-handshake")["added"]["place"] == 0
    assert database.value("SELECT webhook_url FROM social_accounts WHERE id = %s", account.id) == "https://bot.example/hook"


def test_no_secret_is_shown_again(database, database_url):
    account = database.add_account()
    made = add(database_url, account, "--url", "https://bot.example/hook?key=hidden", "--skip-handshake", "--header", "X-Key: topsecret")
    secrets = [*made["secrets"].values(), "topsecret"]
    endpoint = made["added"]["id"]
    for arguments in (["list"], ["show", endpoint[:8]], ["set", endpoint, "--description", "bot"], ["disable", endpoint],
                      ["enable", endpoint]):
        for output in ("text", "json"):
            shown = run(database_url, *arguments, "--output", output)
            assert not any(secret in shown.stdout + shown.stderr for secret in secrets)
    assert row(database, endpoint)["headers"] == {"X-Key": "topsecret"}


def test_a_refused_command_changes_nothing(database, database_url):
    account = database.add_account()
    good = ["--account", account.key, "--url", "https://bot.example/", "--skip-handshake"]
    for arguments, code in (
            (["--account", account.key], 2), (["--url", "https://bot.example/"], 2), (["--operator", *good], 2),
            (["--account", "nobody", "--pull"], 9), ([*good, "--pull"], 2), ([*good, "--events", "mesages"], 2),
            ([*good, "--header", "Host: x"], 2), ([*good, "--header", "webhook-id: x"], 2), ([*good, "--header", "nothing"], 2),
            ([*good, "--concurrent-max", "257"], 2), ([*good, "--format", "xml"], 2),
            *((["--account", account.key, "--skip-handshake", "--url", url], 2) for url in (
                "ftp://bot.example/", "https://user:pass@bot.example/", "https://bot.example/#x", "https://", f"https://b.example/{'x' * 500}"))):
        run(database_url, "add", *arguments, code=code)
    assert database.value("SELECT count(*) FROM webhook_endpoints WHERE social_account_id = %s", account.id) == 0


def test_change_switch_and_remove(database, database_url):
    account = database.add_account()
    endpoint = add(database_url, account, "--url", "https://bot.example/hook", "--skip-handshake")["added"]["id"]
    database.rows("INSERT INTO webhook_deliveries (event_id, endpoint_id, due_at) SELECT gen_random_uuid(), %s, due::timestamptz "
                  "FROM unnest(ARRAY['now', 'infinity', 'infinity']) AS due", endpoint)
    run(database_url, "disable", endpoint[:8], "--because", "it moves")
    [listed] = answer(database_url, "list", "--account", account.key, "--disabled")["endpoints"]
    assert (listed["disabled_because"], listed["pending"], listed["given_up"]) == ("it moves", 1, 2)
    assert "disabled (it moves)" in run(database_url, "list", "--account", account.key).stdout
    database.rows("UPDATE webhook_endpoints SET failing_since = now(), warned_percent = 70 WHERE id = %s", endpoint)
    enabled = run(database_url, "enable", endpoint)
    assert "1 deliveries pending, 2 dead-lettered" in enabled.stdout
    stored = row(database, endpoint)
    assert [stored[name] for name in ("is_enabled", "disabled_because", "failing_since", "warned_percent")] == [True, None, None, 0]
    run(database_url, "set", endpoint, "--url", "https://new.example/", "--skip-handshake", "--events", "messages,comments", "--per-second-max", "5")
    stored = row(database, endpoint)
    assert (stored["url"], stored["webhook_events"], stored["per_second_max"]) == (
        "https://new.example/", ["messages", "comments"], 5)
    assert database.value("SELECT webhook_url FROM social_accounts WHERE id = %s", account.id) == "https://new.example/"
    run(database_url, "set", endpoint, "--clear", "webhook_events,per_second_max")
    assert (row(database, endpoint)["webhook_events"], row(database, endpoint)["per_second_max"]) == (None, None)
    run(database_url, "set", endpoint, "--pull", code=9)
    run(database_url, "remove", endpoint, code=2)
    assert answer(database_url, "remove", endpoint, "--yes")["deliveries"] == 3
    assert database.value("SELECT webhook_url FROM social_accounts WHERE id = %s", account.id) is None
    assert database.value("SELECT count(*) FROM webhook_deliveries WHERE endpoint_id = %s", endpoint) == 0
    run(database_url, "show", endpoint, code=9)


def test_secrets_are_rotated(database, database_url):
    made = answer(database_url, "add", "--operator", "--url", "https://ops.example/", "--skip-handshake")
    endpoint, before = made["added"]["id"], made["secrets"]
    rotated = answer(database_url, "rotate-secret", endpoint, "--grace", "2h")
    stored = row(database, endpoint)
    assert rotated["secrets"] == {"signing_secret": stored["signing_secret"]} != {"signing_secret": before["signing_secret"]}
    assert stored["previous_signing_secret"] == before["signing_secret"] and stored["app_secret"] == before["app_secret"]
    assert database.value("SELECT previous_signing_secret_until - now() BETWEEN '1h' AND '2h' FROM webhook_endpoints WHERE id = %s",
                          endpoint)
    refused = run(database_url, "rotate-secret", endpoint, code=9)
    until = database.value("SELECT to_char(previous_signing_secret_until AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') "
                           "FROM webhook_endpoints WHERE id = %s", endpoint)
    assert f"signs until {until}" in refused.stderr and "--end-previous" in refused.stderr
    run(database_url, "rotate-secret", endpoint, "--grace", "0", code=9)
    assert row(database, endpoint) == stored
    rotated = answer(database_url, "rotate-secret", endpoint, "--end-previous")
    assert row(database, endpoint)["previous_signing_secret"] == stored["signing_secret"] != rotated["secrets"]["signing_secret"]
    database.rows("UPDATE webhook_endpoints SET previous_signing_secret_until = now() WHERE id = %s", endpoint)
    answer(database_url, "rotate-secret", endpoint, "--grace", "0")
    assert row(database, endpoint)["previous_signing_secret"] is None
    rotated = answer(database_url, "rotate-secret", endpoint, "--app-secret")
    assert rotated["secrets"] == {"app_secret": row(database, endpoint)["app_secret"]} != {"app_secret": before["app_secret"]}
    for grace in ("8d", "1w", "x", "-1h"):
        run(database_url, "rotate-secret", endpoint, "--grace", grace, code=2)
    run(database_url, "rotate-secret", endpoint, "--app-secret", "--end-previous", code=2)


def test_every_column_that_is_the_operator_s_can_be_set(database, database_url, tmp_path):
    account = database.add_account()
    (tmp_path / "secret").write_text("f00d\n")
    (tmp_path / "headers").write_text("X-Key: k\nX-Other: o\n")
    endpoint = add(database_url, account, "--pull")["added"]["id"]
    before = row(database, endpoint)
    run(database_url, "set", endpoint, "--url", "https://bot.example/", "--skip-handshake", "--description", "bot", "--format", "standard",
        "--app-secret-file", tmp_path / "secret", "--headers-file", tmp_path / "headers", "--events", "messages", "--ordered", "yes",
        "--concurrent-max", "3", "--per-second-max", "50")
    run(database_url, "disable", endpoint, "--because", "it moves")
    run(database_url, "rotate-secret", endpoint)
    after = row(database, endpoint)
    assert after["app_secret"] == "f00d" and after["headers"] == {"X-Key": "k", "X-Other": "o"}
    state = {"failing_since", "warned_percent"}  # the worker's
    unchanged = {name for name, value in before.items() if after[name] == value}
    assert unchanged == state | {"id", "social_account_id", "place", "created_at"}
    run(database_url, "set", endpoint, "--ordered", "no", "--clear", "headers,description")
    assert [row(database, endpoint)[name] for name in ("is_ordered", "headers", "description")] == [False, {}, None]
