#!/usr/bin/python3
"""The cost of a webhook with one tenant, and with 10,000 on 500 app secrets of their own beside the environment's.

The same load as `ingest`, in turns; a figure counts only after the rows of its run were counted.
"""

import argparse
import json
import subprocess
from statistics import median

import ingest
from ingest import OURS, ROOT, SECRET, database, load

FEW, MANY = "1 tenant, 1 secret", "10,000 tenants, 500 secrets"
TENANTS = {FEW: 1, MANY: 10_000}
SECRETS = {FEW: 0, MANY: 500}
RATIO_MAX = 1.5
OWN_SECRETS = f"""
    UPDATE social_accounts SET app_secret = '{SECRET}-' || right(phone_number_id, 14)::bigint % {SECRETS[MANY]};
    VACUUM FULL ANALYZE social_accounts
"""


def measure(name, options):
    """Rounds of one of the two, each on a cluster of its own."""
    count = (options.seconds + options.warm_up) * ingest.REQUESTS_PER_S_MAX
    path = ROOT / f"bench/data/tenants_{TENANTS[name]}"
    requests = load.generate(path, count, TENANTS[name], ingest.MESSAGES_PER_S, SECRET, SECRETS[name])
    with database.cluster(TENANTS[name]) as cluster:
        if SECRETS[name]:
            for statement in OWN_SECRETS.strip().split(";"):
                cluster.psql(database.TEMPLATE, statement)
        result = ingest.run_contender(OURS, cluster, requests, options)
    path.unlink()
    return result


def parse_arguments():
    parser = argparse.ArgumentParser(prog="script/bench tenants", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=int, default=8, help="of each measured run (default 8)")
    parser.add_argument("--warm-up", type=int, default=2, help="seconds before each (default 2)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each, in turn (default 3)")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--json", action="store_true", help="figures for a program")
    return parser.parse_args()


def main():
    options = parse_arguments()
    subprocess.run([ROOT / "script/build", "release", "socialsync", "generate_ingest_load"], check=True)
    runs = {FEW: [], MANY: []}
    for number in range(1, options.rounds + 1):
        for name, found in runs.items():
            ingest.say(f"round {number} of {options.rounds}: {name}")
            found.append(measure(name, options))
    middle = {name: {key: median(run[key] for run in found) for key in found[0]} for name, found in runs.items()}
    cpu = {name: figures["server_cpu_us"] for name, figures in middle.items()}
    result = {"runs": middle, "server_cpu_ratio": round(cpu[MANY] / cpu[FEW], 2), "ratio_max": RATIO_MAX}
    if options.json:
        print(json.dumps(result, indent=1))
        return
    for name, figures in middle.items():
        print(f"{name:<28} {figures['events_per_s']:>8,} events/s   p99 {figures['p99_ms']} ms   "
              f"server {figures['server_cpu_us']} µs, PostgreSQL {figures['postgresql_cpu_us']} µs an event")
    verdict = "reached" if result["server_cpu_ratio"] <= RATIO_MAX else "MISSED"
    print(f"server's CPU, many / few     {result['server_cpu_ratio']}   at most {RATIO_MAX}: {verdict}")


if __name__ == "__main__":
    main()
