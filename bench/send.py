#!/usr/bin/python3
"""How many deliveries a second one thread sends: ours, and a bare libcurl client, to the same local nginx.

The bare client does no more than it must: one kind of request, no look at addresses, no cancellation. Each answer is
checked; the two take turns, and a ratio is of one round.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent / "support"))

from receivers import LISTEN_OPTIONS, nginx  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
CEILING, OURS = "bare", "sender"
TARGET = 0.6

def run(way, url, certificate, options):
    command = [ROOT / "build/release/send_bench", way, url, options.at_once, options.seconds, options.body, certificate]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"send: {done.stderr.strip()}")
    return json.loads(done.stdout)


def measure(options):
    runs = {CEILING: [], OURS: []}
    with nginx(options.protocol) as receiver:
        for number in range(1, options.rounds + 1):
            for way, results in runs.items():
                print(f"round {number} of {options.rounds}: {way}", file=sys.stderr, flush=True)
                results.append(run(way, receiver.url, receiver.certificate, options))
    ratios = [round(ours["requests_per_s"] / bare["requests_per_s"], 3) for ours, bare in zip(runs[OURS], runs[CEILING])]
    return {
        "protocol": options.protocol, "at_once": options.at_once, "seconds": options.seconds, "body_bytes": options.body,
        **{way: {key: median(result[key] for result in results) for key in results[0]} for way, results in runs.items()},
        "ratio": {"median": round(median(ratios), 3), "rounds": ratios, "target": TARGET},
    }


def table(result):
    lines = [f"{result['protocol']}, {result['at_once']} requests at once, bodies of {result['body_bytes']} bytes, "
             f"{result['seconds']} s a run, medians", "", f"{'':<12}{'requests/s':>12}{'client µs':>12}"]
    for way in (CEILING, OURS):
        lines.append(f"{way:<12}{result[way]['requests_per_s']:>12,.0f}{result[way]['cpu_us']:>12.1f}")
    ratio = result["ratio"]
    return "\n".join([*lines, "", f"ratio {ratio['median']} (target {ratio['target']}), rounds {ratio['rounds']}"])


def main():
    parser = argparse.ArgumentParser(prog="script/bench send", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=int, default=5, help="of each run (default 5)")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each, in turn (default 5)")
    parser.add_argument("--at-once", type=int, default=64, help="requests on their way (default 64)")
    parser.add_argument("--body", type=int, default=600, metavar="BYTES", help="of each request (default 600)")
    parser.add_argument("--protocol", choices=list(LISTEN_OPTIONS), default="http")
    parser.add_argument("--json", action="store_true", help="figures for a program")
    options = parser.parse_args()
    subprocess.run([ROOT / "script/build", "release", "send_bench"], check=True)
    result = measure(options)
    print(json.dumps(result, indent=1) if options.json else table(result))


if __name__ == "__main__":
    main()
