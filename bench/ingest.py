#!/usr/bin/python3
"""How many signed webhooks a second are committed: ours, a hand-written peer, and the ceiling of the machine.

Each body holds one WhatsApp message, never the same twice, for one of 1,000 tenants, over keep-alive
connections. A figure counts only after the rows of its run were counted.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent / "support"))

import database  # noqa: E402
import load  # noqa: E402
import report  # noqa: E402
from cluster import free_port  # noqa: E402
from processes import Server, cpu_seconds  # noqa: E402

ROOT = database.ROOT
TENANTS = 1000
MESSAGES_PER_S = 20_000  # how fast the messages' own times go forward
REQUESTS_PER_S_MAX = 40_000  # how many requests are made ahead for each second
CEILING_TRIAL_S = 3
SECRET = "an app secret of 32 characters.."

OURS, PEER = "socialsync", "fastapi_asyncpg"


def ours(port):
    return [ROOT / "build/release/socialsync", "serve"], {"SOCIALSYNC_LISTEN": f"127.0.0.1:{port}"}


def peer(port):
    uvicorn = ["/usr/bin/python3", "-m", "uvicorn", "--app-dir", ROOT / "bench/peers/fastapi_asyncpg", "app:app"]
    options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    return [*uvicorn, *options, "--workers", "2", "--port", port], {"PYTHONDONTWRITEBYTECODE": "1"}


CONTENDERS = {OURS: ours, PEER: peer}


@contextlib.contextmanager
def serving(name, url):
    port = free_port()
    command, environment = CONTENDERS[name](port)
    environment |= {"DATABASE_URL": url, "META_APP_SECRET": SECRET}
    with tempfile.TemporaryDirectory() as folder, Server(command, port, environment, folder) as server:
        yield server


def run_contender(name, cluster, requests, options):
    """One run on a database of its own: warm up, measure, stop, and check that every row exists."""
    requests.first = 0
    with database.database(cluster, name) as url:
        with serving(name, url) as server:
            warm_up = load.send(requests, server.url, options.connections, options.warm_up)
            before = cpu_seconds(server.pid), cpu_seconds(cluster.postmaster_pid())
            result = load.send(requests, server.url, options.connections, options.seconds)
            after = cpu_seconds(server.pid), cpu_seconds(cluster.postmaster_pid())
        database.check(cluster, name, warm_up["answered"] + result["answered"], requests.first)
    events = result["answered"]
    microseconds = [round((end - begin) * 1e6 / events, 1) for begin, end in zip(before, after)]
    return {
        "events_per_s": round(events / result["seconds"]),
        "p50_ms": round(result["p50_ms"], 2),
        "p99_ms": round(result["p99_ms"], 2),
        "server_cpu_us": microseconds[0],
        "postgresql_cpu_us": microseconds[1],
        "wrk_cpu_us": round(result["cpu_seconds"] * 1e6 / events, 1),
    }


def run_ceiling(cluster, seconds, *way_and_batch):
    with database.database(cluster, "ceiling") as url:
        command = [ROOT / "build/release/ceiling", url, seconds, TENANTS, MESSAGES_PER_S, *way_and_batch]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise database.WrongAnswer(f"the ceiling failed: {done.stderr}")
    return json.loads(done.stdout)


def middle_of(runs):
    return {key: median(run[key] for run in runs) for key in runs[0]} | {"runs": [run["events_per_s"] for run in runs]}


def measure(options):
    contenders = [name for name in CONTENDERS if name in options.only]
    count = (options.seconds + options.warm_up) * REQUESTS_PER_S_MAX
    requests = load.generate(ROOT / "bench/data/ingest", count, TENANTS, MESSAGES_PER_S, SECRET)
    runs = {name: [] for name in contenders}
    ceilings = []
    with database.cluster(TENANTS) as cluster:
        say("the best way to write")
        trials = run_ceiling(cluster, CEILING_TRIAL_S)
        best = max(trials, key=lambda trial: trial["rows_per_s"])
        for round_number in range(1, options.rounds + 1):
            say(f"round {round_number} of {options.rounds}: ceiling")
            ceilings += run_ceiling(cluster, options.seconds, best["way"], best["batch"])
            for name in contenders:
                say(f"round {round_number} of {options.rounds}: {name}")
                runs[name].append(run_contender(name, cluster, requests, options))
        version = cluster.psql("postgres", "SHOW server_version").split()[0]
    return {
        "postgresql": version,
        "ceiling": best | {
            "rows_per_s": median(run["rows_per_s"] for run in ceilings),
            "runs": [run["rows_per_s"] for run in ceilings],
        },
        "ceiling_trials": trials,
        "contenders": {name: middle_of(results) for name, results in runs.items()},
    }


def say(what):
    print(what, file=sys.stderr, flush=True)


def parse_arguments():
    parser = argparse.ArgumentParser(prog="script/bench ingest", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=int, default=10, help="of each measured run (default 10)")
    parser.add_argument("--warm-up", type=int, default=2, help="seconds before each (default 2)")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each, in turn (default 5)")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--only", nargs="*", choices=list(CONTENDERS), default=list(CONTENDERS), metavar="NAME",
                        help=f"of {', '.join(CONTENDERS)}; the ceiling is always measured")
    parser.add_argument("--json", action="store_true", help="figures for a program")
    return parser.parse_args()


def main():
    options = parse_arguments()
    subprocess.run([ROOT / "script/build", "release", "socialsync", "generate_ingest_load", "ceiling"], check=True)
    try:
        result = measure(options)
    except database.WrongAnswer as error:
        sys.exit(f"ingest: {error}")
    result |= {"connections": options.connections, "seconds": options.seconds, "tenants": TENANTS}
    print(json.dumps(report.with_context(result, OURS, PEER), indent=1) if options.json
          else report.table(report.with_context(result, OURS, PEER)))


if __name__ == "__main__":
    main()
