"""The parts of script/test --full, and which of them continuous integration adds on a day."""

ROTATION = (  # one row a day, then from the start
    ("asan", "fuzz"),
    ("postgresql-14", "postgresql-18"),
    ("tsan", "faults"),
    ("postgresql-16", "postgresql-17"),
)
PARTS = tuple(part for row in ROTATION for part in row)
FUZZ_SHARES = 2  # a day fuzzes one share of the targets: each target runs within len(ROTATION) * FUZZ_SHARES days


def parts_of(date):
    """The names of that day's parts."""
    return ROTATION[date.toordinal() % len(ROTATION)]


def fuzz_share_of(date, targets):
    """The fuzz targets of that day, of the names given."""
    share = date.toordinal() // len(ROTATION) % FUZZ_SHARES
    return sorted(targets)[share::FUZZ_SHARES]
