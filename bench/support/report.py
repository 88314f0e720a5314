"""The figures of the ingest benchmark as a table, with the ratios that it is there for."""

import os
import subprocess
from pathlib import Path

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
    """The result with its ratios, the machine and the commit."""
    speed = {name: figures["events_per_s"] for name, figures in result["contenders"].items()}
    ratios = {}
    if ours in speed:
        ratios["ceiling"] = round(speed[ours] / result["ceiling"]["rows_per_s"], 3)
    if ours in speed and peer in speed:
        ratios["peer"] = round(speed[ours] / speed[peer], 2)
    return result | {"ratios": ratios, "machine": _machine(), "commit": _commit()}


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
    lines.append(_row(f"ceiling: {ceiling['way']} of {ceiling['batch']}", [f"{ceiling['rows_per_s']:,}"]))
    lines += ["", "µs: CPU time per event, user and system, of all processes of each", ""]
    for against, target in (("ceiling", CEILING_TARGET), ("peer", PEER_TARGET)):
        if against in result["ratios"]:
            lines.append(_ratio(against, result["ratios"][against], target))
    return "\n".join(lines)


def _row(name, cells):
    return f"{name:<24}" + "".join(f"{cell:>15}" for cell in cells)


def _ratio(against, ratio, target):
    verdict = "reached" if ratio >= target else "MISSED"
    return f"ours / {against:<8}{ratio:>8.2f}   at least {target}: {verdict}"


def _machine():
    cpu_lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.split(":")[1].strip() for line in cpu_lines if line.startswith("model name")]
    return f"{os.cpu_count()} × {models[0] if models else 'CPU'}"


def _commit():
    done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or None
