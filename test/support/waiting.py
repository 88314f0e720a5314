"""Waiting for what another process does."""

import time


def eventually(condition, timeout_s=30, pause_s=0.02):
    """Gives the condition's first true value; fails when there is none in time."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {getattr(condition, '__doc__', None) or condition}"
        time.sleep(pause_s)
