"""The servers that are not Debian's."""

import os

import pytest
import servers
from cluster import Cluster


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs servers as somebody else")
def test_one_that_its_user_cannot_reach_is_copied(tmp_path, monkeypatch):
    (tmp_path / "postgres-14").mkdir()
    (tmp_path / "postgres-14/native").symlink_to(servers.FROM_NPM / "postgres-14/native")
    tmp_path.chmod(0o700)
    monkeypatch.setattr(servers, "FROM_NPM", tmp_path)
    servers._bin_from_npm.cache_clear()
    with Cluster(version=14) as cluster:
        assert tmp_path not in cluster.bin_dir.parents
    servers._bin_from_npm.cache_clear()


def test_one_that_is_not_installed_is_an_error_that_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(servers, "FROM_NPM", tmp_path)
    with pytest.raises(RuntimeError, match="script/bootstrap test"):
        servers.bin_folder(13)
