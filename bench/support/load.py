"""wrk, and the file of requests that it sends."""

import json
import resource
import subprocess
from dataclasses import dataclass
from pathlib import Path

from database import ROOT, WrongAnswer


@dataclass
class Requests:
    """A file of requests, all of one length; `first` is the next that was not sent yet."""

    path: Path
    request_bytes: int
    first: int = 0


def generate(path, count, tenants, messages_per_s, secret, secrets=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    command = [ROOT / "build/release/generate_ingest_load", path, count, tenants, messages_per_s, secret, secrets]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True)
    return Requests(path, int(done.stdout))


def send(requests, url, connections, seconds, pause_ms=0):
    """Returns wrk's figures and its CPU time. Raises where any answer was not 200."""
    command = ["wrk", "--threads=1", f"--connections={connections}", f"--duration={seconds}s", "--timeout=30s"]
    command += ["--latency", "--script", ROOT / "bench/ingest.lua", url, "--"]
    command += [requests.path, requests.request_bytes, requests.first, pause_ms]
    cpu_before = _cpu_of_children()
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    found = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if done.returncode != 0 or not found:
        raise WrongAnswer(f"wrk exited {done.returncode}:\n{done.stdout}{done.stderr}")
    result = json.loads(found[0].removeprefix("RESULT "))
    result["cpu_seconds"] = _cpu_of_children() - cpu_before
    if result["not_200"] or result["broken"] or result["exhausted"] or not result["answered"]:
        raise WrongAnswer(f"not every request was answered with 200: {result}")
    requests.first += result["sent"]
    return result


def _cpu_of_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
