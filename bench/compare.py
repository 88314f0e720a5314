#!/usr/bin/python3
"""Two builds of the program in one run, in turn: ingest and delivery, events a second and CPU time per event.

    script/bench compare --before FOLDER/build/release/socialsync

`--before` names the program of another checkout. Each round runs both, so that a ratio is of one moment: the
machine's own speed changes from one round to the next.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from statistics import median

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent / "support")]

import database  # noqa: E402
import deliver  # noqa: E402
import ingest  # noqa: E402
import load  # noqa: E402
from receivers import nginx  # noqa: E402

NO_SLOWER = 0.95
TENANTS = 1000
FIGURES = {"ingest": "events_per_s", "deliver": "deliveries_per_s"}


def serve_of(program):
    return lambda port: ([program, "serve"], {"SOCIALSYNC_LISTEN": f"127.0.0.1:{port}"})


def measure_ingest(programs, options):
    ingest.CONTENDERS |= {name: serve_of(program) for name, program in programs.items()}
    count = (options.seconds + options.warm_up) * ingest.REQUESTS_PER_S_MAX
    requests = load.generate(ingest.ROOT / "bench/data/ingest", count, TENANTS, ingest.MESSAGES_PER_S, ingest.SECRET)
    with database.cluster(TENANTS) as cluster:
        return rounds_of("ingest", programs, options,
                         lambda name: ingest.run_contender(name, cluster, requests, options))


def measure_deliver(programs, options):
    with nginx() as receiver, database.cluster(TENANTS) as cluster:
        return rounds_of("deliver", programs, options,
                         lambda name: deliver.drain(cluster, receiver, options.drained, TENANTS, program=programs[name]))


def rounds_of(what, programs, options, run):
    """The runs of each program; the first of a round is not always the same one."""
    runs = {name: [] for name in programs}
    for number in range(options.rounds):
        ingest.say(f"{what}, round {number + 1} of {options.rounds}")
        for name in sorted(programs, reverse=number % 2 == 1):
            runs[name].append(run(name))
    return runs


def ratios(runs, key):
    return [round(now[key] / before[key], 3) for now, before in zip(runs["now"], runs["before"])]


def table(result):
    lines = []
    for what, runs in result.items():
        for name, figures in runs.items():
            middle = {key: round(median(run[key] for run in figures), 1) for key in figures[0]}
            lines.append(f"{what:<8} {name:<7} {middle}")
        speed, server = ratios(runs, FIGURES[what]), ratios(runs, "server_cpu_us")
        reached = "reached" if median(speed) >= NO_SLOWER else "MISSED"
        lines += [f"{what:<8} now ÷ before: {median(speed):.2f} a second (at least {NO_SLOWER}: {reached}) {speed}",
                  f"{'':<8} CPU time of the server per event: {median(server):.2f} {server}"]
    return "\n".join(lines)


def parse_arguments():
    parser = argparse.ArgumentParser(prog="script/bench compare", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--before", type=Path, required=True, metavar="PROGRAM", help="the socialsync of another checkout")
    parser.add_argument("--only", nargs="*", choices=list(FIGURES), default=list(FIGURES), metavar="PART",
                        help=f"of {', '.join(FIGURES)}")
    parser.add_argument("--seconds", type=int, default=8, help="of each measured run of ingest (default 8)")
    parser.add_argument("--warm-up", type=int, default=2, help="seconds before each (default 2)")
    parser.add_argument("--rounds", type=int, default=4, help="runs of each, in turn (default 4)")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--drained", type=int, default=60_000, metavar="EVENTS", help="in the outbox (default 60,000)")
    parser.add_argument("--json", action="store_true", help="figures for a program")
    return parser.parse_args()


def main():
    options = parse_arguments()
    targets = ["socialsync", "generate_ingest_load", "send_bench"]
    subprocess.run([ingest.ROOT / "script/build", "release", *targets], check=True)
    programs = {"before": options.before.resolve(), "now": ingest.ROOT / "build/release/socialsync"}
    measures = {"ingest": measure_ingest, "deliver": measure_deliver}
    try:
        result = {part: measures[part](programs, options) for part in options.only}
    except database.WrongAnswer as error:
        sys.exit(f"compare: {error}")
    print(json.dumps(result, indent=1) if options.json else table(result))


if __name__ == "__main__":
    main()
