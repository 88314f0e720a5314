"""Where the programs of a PostgreSQL server are: Debian's, or those that test/servers/install has installed."""

import atexit
import functools
import os
import pathlib
import shutil
import subprocess
import tempfile

DEBIAN = pathlib.Path("/usr/lib/postgresql")
FROM_NPM = pathlib.Path(__file__).resolve().parents[2] / "build/servers/node_modules"
OTHER_VERSIONS = [14, 16, 17, 18]  # than Debian's: those of test/servers/package.json
SERVER_USER = "postgres"


def unprivileged():
    """Popen's arguments for a process of PostgreSQL, which refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    return {"user": SERVER_USER, "group": SERVER_USER, "extra_groups": []}


def bin_folder(version=None):
    """The programs of this major version; without one SOCIALSYNC_PG_BIN if set, otherwise Debian's newest."""
    if version is None:
        return _default_bin()
    installed = DEBIAN / str(version) / "bin"
    return installed if (installed / "initdb").exists() else _bin_from_npm(version)


def _default_bin():
    chosen = os.environ.get("SOCIALSYNC_PG_BIN")
    if chosen:
        return pathlib.Path(chosen)
    found = [path.parent for path in DEBIAN.glob("*/bin/initdb")]
    if not found:
        raise RuntimeError(f"no PostgreSQL server under {DEBIAN}: install postgresql-15")
    return max(found, key=lambda path: int(path.parent.name))


@functools.cache
def _bin_from_npm(version):
    """Where it is, or a copy in a folder of everybody's if PostgreSQL's user may not enter the repository."""
    native = FROM_NPM / f"postgres-{version}" / "native"
    if not native.exists():
        raise RuntimeError(f"no PostgreSQL {version}: script/bootstrap test installs it")
    try:
        subprocess.run([native / "bin/postgres", "--version"], check=True, capture_output=True, cwd="/",
                       **unprivileged())
    except PermissionError:
        native = _copy_for_everybody(native)
    return native / "bin"


def _copy_for_everybody(native):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="socialsync-server-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)
    return shutil.copytree(native, folder / "native", symlinks=True)
