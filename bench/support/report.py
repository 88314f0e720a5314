"""The figures of the ingest benchmark as a table, with its ratios."""

import os
import subprocess
from pathlib import Path
from statistics import median

from database import ROOT

CEILING_TARGET = 0.5
PEER_TARGET = 8
COLUMNS = [
    ("events/s", "events_per_s", "{:,.0f}"),
    ("p50 ms", "p50_ms", "{:.1f}"),
    ("p99 ms", "p99_ms", "{:.1f}"),
    ("server µs", "server_cpu_us", "{:.1f}"),
    ("PostgreSQL µs", "postgresql_cpu_us", "{:.1f}"),
    ("wrk µs", "wrk_cpu_us", "{:.1f}"),
]


def with_context(result, ours, peer):
    """The result with its ratios, the machine and the commit. A ratio is of one round: the machine's own speed
    changes from one to the next."""
    speeds = {name: figures["runs"] for name, figures in result["contenders"].items()}
    ratios = {}
    if ours in speeds:
        ratios["ceiling"] = _ratios(speeds[ours], result["ceiling"]["runs"], 3)
    if ours in speeds and peer in speeds:
        ratios["peer"] = _ratios(speeds[ours], speeds[peer], 2)
    return result | {"ratios": ratios, "machine": machine(), "commit": commit()}


def table(result):
    ceiling = result["ceiling"]
    lines = [
        f"{result['connections']} connections, {result['tenants']:,} tenants, {result['seconds']} s a run, medians; "
        f"PostgreSQL {result['postgresql']}, durable; {result['machine']}",
        "",
        _row("", [title for title, _, _ in COLUMNS]),
    ]
    for name, figures in result["contenders"].items():
        lines.append(_row(name, [form.format(figures[key]) for _, key, form in COLUMNS]))
    lines.append(_row(f"ceiling: {ceiling['way']} of {ceiling['batch']}", [f"{ceiling['rows_per_s']:,.0f}"]))
    lines += ["", "µs: CPU time per event, user and system, of all processes of each", ""]
    for against, target in (("ceiling", CEILING_TARGET), ("peer", PEER_TARGET)):
        if against in result["ratios"]:
            lines.append(_ratio(against, result["ratios"][against], target))
    return "\n".join(lines)


def _row(name, cells):
    return f"{name:<24}" + "".join(f"{cell:>15}" for cell in cells)


def _ratios(ours, others, digits):
    ratios = [round(mine / other, digits) for mine, other in zip(ours, others)]
    return {"median": round(median(ratios), digits), "rounds": ratios}


def _ratio(against, ratio, target):
    verdict = "reached" if ratio["median"] >= target else "MISSED"
    rounds = ", ".join(f"{one:.2f}" for one in ratio["rounds"])
    return f"ours / {against:<8}{ratio['median']:>8.2f}   at least {target}: {verdict}   (rounds: {rounds})"


def machine():
    cpu_lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.split(":")[1].strip() for line in cpu_lines if line.startswith("model name")]
    return f"{os.cpu_count()} × {models[0] if models else 'CPU'}"


def commit():
    done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or None
