"""Processes that this one has started, directly or not: those whose parents have ended are its own too, after `adopt()`."""

import ctypes
import os
import pathlib
import signal
import subprocess
import time

PR_SET_CHILD_SUBREAPER = 36
KILL_TIMEOUT_S = 5


def adopt():
    """From now on a descendant whose parent ends becomes a child of this process (Linux)."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def alive(pid=None):
    """The process ids of all descendants that have not ended."""
    found = []
    for child in _children(os.getpid() if pid is None else pid):
        found += alive(child) + ([child] if runs(child) else [])
    return found


def interrupt(processes, timeout_s):
    """SIGINT to the process group of each of these Popen, and time to end. Returns when they have, or the time is over."""
    for process in processes:
        _signal_group(process.pid, signal.SIGINT)
    deadline = time.monotonic() + timeout_s
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            pass


def kill_all():
    """Ends each descendant: SIGINT, which PostgreSQL and the gateway end by, and after some seconds SIGKILL."""
    for which in (signal.SIGINT, signal.SIGKILL):
        for pid in alive():
            _signal(pid, which)
        deadline = time.monotonic() + KILL_TIMEOUT_S
        while alive() and time.monotonic() < deadline:
            time.sleep(0.05)


def _children(pid):
    try:
        tasks = list(pathlib.Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []


def runs(pid):
    """True unless it has ended, or its parent has yet to ask how."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _signal_group(pid, which):
    try:
        os.killpg(pid, which)
    except ProcessLookupError:
        pass


def _signal(pid, which):
    try:
        os.kill(pid, which)
    except ProcessLookupError:
        pass
