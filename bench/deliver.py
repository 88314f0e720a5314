#!/usr/bin/python3
"""How fast events reach their tenants, what that costs, and whether bad receivers harm good ones.

nginx is the receiver. Each figure counts only after the database was asked: every event delivered, each once.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent / "support"))

import database  # noqa: E402
import load  # noqa: E402
from bad_receivers import bad_receivers  # noqa: E402
from cluster import free_port  # noqa: E402
from processes import Server, cpu_seconds  # noqa: E402
from receivers import nginx  # noqa: E402

ROOT = database.ROOT
PROGRAM = ROOT / "build/release/socialsync"
SECRET = "an app secret of 32 characters.."
MESSAGES_PER_S = 20_000
CONNECTIONS = 64
SLICES = 10
TARGETS = {"deliveries_per_s": 8000, "of_ceiling": 0.6, "p50_ms": 10, "ingest_kept": 0.5, "fairness": 1.5, "start_s": 2}

GIVE_URLS = "UPDATE social_accounts SET webhook_url = '{url}' || phone_number_id"
# The body of one message, as large as those of the load.
FILL = """
    INSERT INTO webhook_logs (id, social_account_id, user_id, platform, webhook_type, payload)
    SELECT socialsync.new_log_id(now()), a.id, a.user_id, a.platform, 'messages',
           jsonb_build_object('object', 'whatsapp_business_account', 'entry', repeat('x', 600) || n)
    FROM generate_series(0, {count} - 1) AS n
    JOIN social_accounts AS a ON a.phone_number_id = '1' || lpad((n % {tenants})::text, 14, '0');
    INSERT INTO webhook_deliveries (event_id, endpoint_id, attempts, due_at)
    SELECT l.id, e.id, {attempts}, now() - random() * interval '1 hour'
    FROM webhook_logs AS l JOIN webhook_endpoints AS e USING (social_account_id);
    VACUUM ANALYZE webhook_logs; VACUUM ANALYZE webhook_deliveries; CHECKPOINT
"""
LEFT = "SELECT count(*) FROM webhook_deliveries"
CHECK = """
    SELECT (SELECT count(*) FROM webhook_logs WHERE status <> 'processed'),
           (SELECT count(*) - count(DISTINCT (event_id, endpoint_id)) FROM webhook_delivery_attempts WHERE error IS NULL)
"""
PERCENTILES = """
    SELECT percentile_disc(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY l.processing_time_ms)
    FROM webhook_logs AS l JOIN social_accounts AS a ON a.id = l.social_account_id
    WHERE l.status = 'processed' AND right(a.phone_number_id, 14)::bigint >= {from_tenant}
      AND l.created_at >= (SELECT min(created_at) + interval '{skip} s' FROM webhook_logs)
"""


def say(what):
    print(what, file=sys.stderr, flush=True)


@contextlib.contextmanager
def serving(url, program):
    port = free_port()
    environment = {"DATABASE_URL": url, "META_APP_SECRET": SECRET, "SOCIALSYNC_LISTEN": f"127.0.0.1:{port}",
                   "SOCIALSYNC_EGRESS_ALLOW": "127.0.0.0/8", "SOCIALSYNC_EGRESS_HTTP": "1"}
    with tempfile.TemporaryDirectory() as folder, \
            Server([program, "serve"], port, environment, folder) as server:
        yield server


@contextlib.contextmanager
def prepared(cluster, name, urls):
    """A database of its own, with these URLs, and pages that leave room for the status, as after an hour."""
    with database.database(cluster, name) as url:
        for statement in urls:
            cluster.psql(name, statement)
        cluster.psql(name, "SELECT socialsync.maintain_partitions()")
        yield url


def left(cluster, name):
    return int(cluster.psql(name, LEFT))


def wait_until_delivered(cluster, name):
    while left(cluster, name):
        time.sleep(0.1)
    undelivered, twice = (int(number) for number in cluster.psql(name, CHECK).split("|"))
    if undelivered or twice:
        raise database.WrongAnswer(f"{name}: {undelivered} events not delivered, {twice} delivered twice")


def used(server, cluster, receiver):
    return [cpu_seconds(pid) for pid in (server.pid, cluster.postmaster_pid(), receiver.pid)]


def per_event(before, after, events):
    return dict(zip(("server_cpu_us", "postgresql_cpu_us", "nginx_cpu_us"),
                    (round((end - begin) * 1e6 / events, 1) for begin, end in zip(before, after))))


def drain(cluster, receiver, count, tenants, attempts=0, program=PROGRAM):
    """Empties an outbox that was filled before: deliveries a second, in all and by tenths."""
    with prepared(cluster, "drain", [GIVE_URLS.format(url=receiver.url)]) as url:
        for statement in FILL.format(count=count, tenants=tenants, attempts=attempts).strip().split(";"):
            cluster.psql("drain", statement)
        launched = time.monotonic()
        with serving(url, program) as server:
            start_s = time.monotonic() - launched
            began, before = time.monotonic(), used(server, cluster, receiver)
            reached = []  # when each tenth was done
            while (rest := left(cluster, "drain")) or not reached:
                done_tenths = (count - rest) * SLICES // count
                reached += [time.monotonic() - began] * (done_tenths - len(reached))
                time.sleep(0.05)
            took = time.monotonic() - began
            after = used(server, cluster, receiver)
        wait_until_delivered(cluster, "drain")
    return {"deliveries_per_s": round(count / took), "start_s": round(start_s, 2),
            "last_tenth_to_second": round((took - reached[SLICES - 2]) / (reached[1] - reached[0]), 2),
            **per_event(before, after, count)}


def ingest(cluster, receiver, requests, options, urls, pause_ms=0, from_tenant=0):
    """Webhooks taken a second, and the time from receipt to delivery where there are URLs."""
    requests.first = 0
    with prepared(cluster, "ingest", urls) as url, serving(url, PROGRAM) as server:
        load.send(requests, server.url, CONNECTIONS, options.warm_up, pause_ms)
        before = used(server, cluster, receiver)
        result = load.send(requests, server.url, CONNECTIONS, options.seconds, pause_ms)
        after = used(server, cluster, receiver)
        if urls and not from_tenant:
            wait_until_delivered(cluster, "ingest")
        found = cluster.psql("ingest", PERCENTILES.format(from_tenant=from_tenant, skip=options.warm_up)).strip("{}")
    p50, p99 = (int(number) for number in found.split(",")) if urls else (None, None)
    return {"events_per_s": round(result["answered"] / result["seconds"]), "answer_p99_ms": round(result["p99_ms"], 2),
            "delivered_p50_ms": p50, "delivered_p99_ms": p99, **per_event(before, after, result["answered"])}


def ceiling(receiver, options):
    command = [ROOT / "build/release/send_bench", "bare", receiver.url, CONNECTIONS, options.seconds, 800, receiver.certificate]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["requests_per_s"]


def measure_throughput(receiver, options):
    requests = load.generate(ROOT / "bench/data/deliver", (options.seconds + options.warm_up) * 30_000, 1000,
                             MESSAGES_PER_S, SECRET)
    urls = [GIVE_URLS.format(url=receiver.url)]
    rounds = []
    with database.cluster(1000) as cluster:
        for number in range(1, options.rounds + 1):
            say(f"throughput, round {number} of {options.rounds}")
            one = {"ceiling": ceiling(receiver, options), "drain": drain(cluster, receiver, options.drained, 1000),
                   "without": ingest(cluster, receiver, requests, options, []),
                   "with": ingest(cluster, receiver, requests, options, urls)}
            half_load = one["with"]["events_per_s"] / 2
            one["half"] = ingest(cluster, receiver, requests, options, urls, round(CONNECTIONS * 1000 / half_load))
            rounds.append(one)
    return rounds


def measure_fairness(receiver, options):
    requests = load.generate(ROOT / "bench/data/fairness", (options.fairness_seconds + options.warm_up) * 5_000, 100,
                             MESSAGES_PER_S, SECRET)
    good = [GIVE_URLS.format(url=receiver.url)]
    rounds = []
    timing = argparse.Namespace(**{**vars(options), "seconds": options.fairness_seconds})
    with database.cluster(100) as cluster, bad_receivers() as bad:
        some_bad = [*good, f"UPDATE social_accounts SET webhook_url = '{bad.black_hole}' WHERE right(phone_number_id, 14)::bigint < 10",
                    f"UPDATE social_accounts SET webhook_url = '{bad.slow}' WHERE right(phone_number_id, 14)::bigint BETWEEN 10 AND 19"]
        for number in range(1, options.rounds + 1):
            say(f"fairness, round {number} of {options.rounds}")
            rounds.append({name: ingest(cluster, receiver, requests, timing, urls, pause_ms=64, from_tenant=20)
                           for name, urls in (("all good", good), ("20 bad", some_bad))})
    return rounds


def measure_backlog(receiver, options):
    say(f"{options.backlog:,} retries that are due")
    with database.cluster(1000) as cluster:
        return drain(cluster, receiver, options.backlog, 1000, attempts=3)


def verdict(name, value, is_reached):
    return f"{name:<58}{value:>10}   {'reached' if is_reached else 'MISSED'}"


def table(result):
    lines = []
    for number, one in enumerate(result.get("throughput", []), 1):
        rate, kept = one["drain"]["deliveries_per_s"], one["with"]["events_per_s"] / one["without"]["events_per_s"]
        lines += [f"round {number}: bare libcurl {one['ceiling']:,.0f}/s, outbox {rate:,}/s {one['drain']}",
                  f"  ingest alone   {one['without']}", f"  and delivering {one['with']}", f"  at half load   {one['half']}",
                  verdict("  deliveries a second (8,000, or 0.6 of libcurl alone)", f"{rate:,}",
                          rate >= TARGETS["deliveries_per_s"] or rate >= TARGETS["of_ceiling"] * one["ceiling"]),
                  verdict("  receipt to delivery at half load, p50 ms (at most 10)", one["half"]["delivered_p50_ms"],
                          one["half"]["delivered_p50_ms"] <= TARGETS["p50_ms"]),
                  verdict("  ingest while delivering, of ingest alone (0.5)", round(kept, 2), kept >= TARGETS["ingest_kept"])]
    if "fairness" in result:
        p99 = {name: median(one[name]["delivered_p99_ms"] for one in result["fairness"]) for name in ("all good", "20 bad")}
        ratio = round(p99["20 bad"] / max(p99["all good"], 1), 2)
        lines += [f"80 good endpoints, p99 ms from receipt to delivery: {p99['all good']} among 100 good ones, "
                  f"{p99['20 bad']} beside 10 black holes and 10 slow ones",
                  verdict("  with the bad ones, of without (at most 1.5)", ratio, ratio <= TARGETS["fairness"])]
    if "backlog" in result:
        backlog = result["backlog"]
        lines += [f"a backlog of {result['backlog_rows']:,}: {backlog}",
                  verdict("  start, seconds (at most 2)", backlog["start_s"], backlog["start_s"] <= TARGETS["start_s"]),
                  verdict("  time for the last tenth, of that for the second", backlog["last_tenth_to_second"],
                          backlog["last_tenth_to_second"] <= TARGETS["fairness"])]
    return "\n".join(lines)


PARTS = {"throughput": measure_throughput, "fairness": measure_fairness, "backlog": measure_backlog}


def parse_arguments():
    parser = argparse.ArgumentParser(prog="script/bench deliver", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--only", nargs="*", choices=list(PARTS), default=list(PARTS), metavar="PART",
                        help=f"of {', '.join(PARTS)}")
    parser.add_argument("--seconds", type=int, default=8, help="of each measured run (default 8)")
    parser.add_argument("--warm-up", type=int, default=2, help="seconds before each (default 2)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each, in turn (default 3)")
    parser.add_argument("--drained", type=int, default=60_000, metavar="EVENTS", help="in the outbox (default 60,000)")
    parser.add_argument("--fairness-seconds", type=int, default=30, help="of each run (default 30)")
    parser.add_argument("--backlog", type=int, default=1_000_000, metavar="EVENTS", help="retries (default 1,000,000)")
    parser.add_argument("--json", action="store_true", help="figures for a program")
    return parser.parse_args()


def main():
    options = parse_arguments()
    subprocess.run([ROOT / "script/build", "release", "socialsync", "generate_ingest_load", "send_bench"], check=True)
    try:
        with nginx() as receiver:
            result = {part: PARTS[part](receiver, options) for part in options.only}
    except database.WrongAnswer as error:
        sys.exit(f"deliver: {error}")
    result |= {"backlog_rows": options.backlog, "targets": TARGETS}
    print(json.dumps(result, indent=1) if options.json else table(result))


if __name__ == "__main__":
    main()
