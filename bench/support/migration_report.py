"""The figures of the migration benchmark: what writers felt, as a table with its targets."""

from dataclasses import asdict, dataclass

import report

LOCK_CAP_MS = 100  # the longest wait of a step for a lock, and of the sessions behind it
MAX_TARGET_MS = LOCK_CAP_MS + 150
VACUUMED_TARGET_MS = 50  # autovacuum is evicted while no session waits
NAIVE_AT_LEAST_MS = 1000  # else the benchmark shows nothing
COLUMNS = [("seconds", "seconds", "{:.1f}"), ("writes", "writes", "{:,}"), ("failed", "failed", "{:,}"),
           ("p99.9 ms", "p999_ms", "{:.0f}"), ("max ms", "max_ms", "{:.0f}"),
           ("before: p99.9", "before_p999_ms", "{:.0f}"), ("max ms", "before_max_ms", "{:.0f}")]


@dataclass
class Run:
    """One migration, as its writers felt it; `before` is the time before it began."""

    seconds: float
    writes: int
    failed: int
    p999_ms: float
    max_ms: float
    before_p999_ms: float
    before_max_ms: float
    worst: str  # the migration's next line after the longest wait began

    @staticmethod
    def of(transactions, failed, writing_since_s, migration):
        before = [one for one in transactions if one.due_s >= writing_since_s and one.end_s < migration.began_s]
        during = [one for one in transactions if one.due_s < migration.ended_s and one.end_s > migration.began_s]
        worst = max(during, key=lambda one: one.latency_ms)
        return Run(
            seconds=round(migration.ended_s - migration.began_s, 2), writes=len(during), failed=failed,
            p999_ms=_part(during, 0.999), max_ms=_part(during, 1),
            before_p999_ms=_part(before, 0.999), before_max_ms=_part(before, 1),
            worst=_step_at(worst, migration))


def _part(transactions, share):
    latencies = sorted(one.latency_ms for one in transactions)
    return round(latencies[min(len(latencies) - 1, int(len(latencies) * share))], 1)


def _step_at(worst, migration):
    at_s = f"at {worst.due_s - migration.began_s:.1f} s"
    later = [line.strip() for time_s, line in migration.said if time_s >= worst.due_s and line.strip()]
    return f"{at_s}: {later[0]}" if later else at_s


def result(runs, postgresql, options):
    ours, naive = [runs["ours"], runs["backfill"], runs["rollback"]], runs["one transaction"]
    return {
        "runs": {name: asdict(run) for name, run in runs.items()},
        "targets": {
            "ours_max_ms": target(max(run.max_ms for run in ours), MAX_TARGET_MS),
            "vacuumed_max_ms": target(runs["vacuumed"].max_ms, VACUUMED_TARGET_MS),
            "ours_failed": target(sum(run.failed for run in [*ours, runs["vacuumed"]]), 0),
            "naive_is_worse": {"value": naive.max_ms, "at_least": NAIVE_AT_LEAST_MS,
                               "reached": naive.max_ms >= NAIVE_AT_LEAST_MS},
        },
        "accounts": options.accounts, "writers": options.writers, "rate": options.rate,
        "postgresql": postgresql, "machine": report.machine(), "commit": report.commit(),
    }


def target(value, at_most):
    return {"value": value, "at_most": at_most, "reached": value <= at_most}


def table(figures):
    lines = [
        f"{figures['writers']} writers, {figures['rate']} updates/s of {figures['accounts']:,} accounts, reports of 6 s and less; "
        f"PostgreSQL {figures['postgresql']}, durable; {figures['machine']}", "",
        row("", [title for title, _, _ in COLUMNS])]
    for name, run in figures["runs"].items():
        lines.append(row(name, [form.format(run[key]) for _, key, form in COLUMNS]))
    lines += ["", *(f"longest wait, {name}: {run['worst']}" for name, run in figures["runs"].items()), ""]
    return "\n".join(lines + target_lines(figures["targets"]))


def target_lines(targets):
    lines = []
    for name, wanted in targets.items():
        bound = next(f"{word.replace('_', ' ')} {wanted[word]}" for word in ("at_most", "at_least") if word in wanted)
        lines.append(f"{name:<16}{wanted['value']:>9}   {bound}: {'reached' if wanted['reached'] else 'MISSED'}")
    return lines


def row(name, cells):
    return f"{name:<17}" + "".join(f"{cell:>15}" for cell in cells)
