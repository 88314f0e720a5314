"""Continuous integration runs each part of script/test --full every few days."""

import datetime

import pytest
from parts import FUZZ_SHARES, PARTS, ROTATION, fuzz_share_of, parts_of

TARGETS = ["dotenv", "http_codec", "parse", "place", "secret_box"]
FIRST_DAYS = [datetime.date(2026, 12, 1) + datetime.timedelta(n) for n in range(40)]


def days_from(first, count):
    return [first + datetime.timedelta(n) for n in range(count)]


@pytest.mark.parametrize("part", PARTS)
def test_each_part_runs_every_four_days(part):
    assert len(ROTATION) == 4
    for first in FIRST_DAYS:
        assert sum(part in parts_of(day) for day in days_from(first, 4)) == 1


def test_each_fuzz_target_runs_every_eight_days():
    assert len(ROTATION) * FUZZ_SHARES == 8
    for first in FIRST_DAYS:
        days = [day for day in days_from(first, 8) if "fuzz" in parts_of(day)]
        assert sorted(target for day in days for target in fuzz_share_of(day, TARGETS)) == TARGETS


def test_a_day_has_the_same_parts_whenever_it_is_asked():
    assert parts_of(datetime.date(2026, 12, 1)) == parts_of(datetime.date(2026, 12, 1)) == ROTATION[
        datetime.date(2026, 12, 1).toordinal() % 4]
