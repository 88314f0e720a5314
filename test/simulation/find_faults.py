#!/usr/bin/python3
"""Shows that the simulation finds faults: puts each of faults/*.patch into a copy of the cores, and plays histories.

find_faults.py [--build FOLDER] [--seconds N] [NAME…]: needs the target `simulation` built in FOLDER. Ends with
"N passed, N failed"; passed: an invariant or an assertion is broken within the seconds.
"""

import argparse
import json
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
CORES = ["ingest/batch_core", "deliver/worker_core", "deliver/recorder_core", "deliver/lanes", "deliver/lane",
         "deliver/outbox", "deliver/endpoints", "deliver/answer", "deliver/admission"]
LIBRARIES = ["crypto", "pq", "spdlog", "fmt", "simdjson", "curl", "prometheus-cpp-core", "sodium"]


class Builder:
    """Compiles the cores one by one, as the target `simulation` is compiled."""

    def __init__(self, build, folder):
        self.build = build
        self.sources = folder / "src"
        self.objects = folder / "objects"
        self.objects.mkdir()
        shutil.copytree(ROOT / "src", self.sources)
        entries = json.loads((build / "compile_commands.json").read_text())
        main = next(entry for entry in entries if entry["file"].endswith("test/simulation/main.cpp"))
        self.command = _without_files(shlex.split(main["command"]), self.sources)

    def compile(self, core):
        target = self.objects / (core.replace("/", "_") + ".o")
        command = [*self.command, "-O1", "-w", "-Wno-error", "-c", str(self.sources / (core + ".cpp")), "-o", str(target)]
        subprocess.run(command, check=True, cwd=self.build)

    def link(self, program):
        simulation = sorted((self.build / "test/CMakeFiles/simulation.dir").rglob("*.o"))
        # The objects of the cores come before those of the library.
        command = ["clang++-19", "-fuse-ld=lld-19", "-Wl,--allow-multiple-definition", "-o", program]
        objects = [*sorted(self.objects.glob("*.o")), *simulation, self.build / "libsocialsync_core.a"]
        libraries = [f"-l{name}" for name in LIBRARIES]
        subprocess.run([*command, *map(str, objects), *libraries], check=True)


def _without_files(words, sources):
    """The compiler and its options, with the copy of the sources in place of the sources."""
    options = []
    words = iter(words)
    for word in words:
        if word in ("-o", "-c"):
            next(words)
        elif word == f"-I{ROOT / 'src'}":
            options.append(f"-I{sources}")
        else:
            options.append(word)
    return options


def _cores_in(patch):
    return re.findall(r"^\+\+\+ b/src/(\S+)\.cpp$", patch.read_text(), re.MULTILINE)


def _apply(patch, folder, *, back=False):
    options = ["--reverse"] if back else []
    subprocess.run(["patch", "--silent", "-p1", *options, "-d", folder, "-i", patch], check=True)


def find(patch, builder, folder, seconds):
    """Returns True when the simulation finds this fault; prints what it found, and how soon."""
    _apply(patch, folder)
    for core in _cores_in(patch):
        builder.compile(core)
    program = str(folder / "simulation")
    builder.link(program)
    _apply(patch, folder, back=True)
    began = time.monotonic()
    done = subprocess.run([program, "--seconds", str(seconds)], capture_output=True, text=True, check=False)
    spent = time.monotonic() - began
    for core in _cores_in(patch):
        builder.compile(core)
    found = next((line for line in done.stdout.splitlines() if line.startswith("seed ")), None)
    is_found = done.returncode != 0 and found is not None
    print(f"{patch.stem}: {found if is_found else 'not found'} ({spent:.1f} s with the shortening)", flush=True)
    return is_found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build/release")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    patches = [patch for patch in sorted((HERE / "faults").glob("*.patch"))
               if not options.names or any(name in patch.stem for name in options.names)]
    with tempfile.TemporaryDirectory() as folder:
        builder = Builder(options.build.resolve(), Path(folder))
        for core in CORES:
            builder.compile(core)
        found = [find(patch, builder, Path(folder), options.seconds) for patch in patches]
    print(f"{sum(found)} passed, {len(found) - sum(found)} failed")
    return 0 if all(found) else 1


if __name__ == "__main__":
    sys.exit(main())
