"""The figures of the migration of a large table: time and memory of each command, as a table with its targets."""

from migration_report import row, target, target_lines

PLAN_TARGET_S = 1
MEMORY_TARGET_MB = 64  # the limit of each command: none keeps rows
COLUMNS = [("seconds", "seconds", "{:,.2f}"), ("peak MB", "peak_mb", "{:,.1f}")]


def figures(runs, options):
    plans = [run.seconds for name, run in runs.items() if name.startswith("plan")]
    return {
        "runs": {name: {"seconds": run.seconds, "peak_mb": run.peak_mb} for name, run in runs.items()},
        "targets": {
            "plan_s": target(max(plans), PLAN_TARGET_S),
            "peak_mb": target(max(run.peak_mb for run in runs.values()), MEMORY_TARGET_MB),
        },
        "rows": options.rows, "lines": options.lines,
    }


def table(result):
    lines = [
        f"{result['rows']:,} accounts, {result['lines']:,} lines for backfill; "
        f"PostgreSQL {result['postgresql']}, durable; {result['machine']}", "",
        row("", [title for title, _, _ in COLUMNS])]
    for name, run in result["runs"].items():
        lines.append(row(name, [form.format(run[key]) for _, key, form in COLUMNS]))
    return "\n".join([*lines, "", *target_lines(result["targets"])])
