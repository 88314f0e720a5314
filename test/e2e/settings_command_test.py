"""`socialsync settings`: each setting, its value and where it comes from, without a secret."""

import json
import re
import subprocess

from program import binary, environment, run
from suite import ROOT

SECRET = "hunter2-and-more"
DOTS = "••••••••"


def settings(**given):
    answer = json.loads(run("settings", "--output", "json", **given).stdout)
    return {row["name"]: (row["value"], row["from"]) for row in answer["settings"]}


def test_every_setting_is_shown():
    names = re.findall(r"^SETTING\((\w+)", (ROOT / "src/config/settings.def").read_text(), re.M)
    assert list(settings()) == names
    lines = run("settings").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["NAME", *names]


def test_values_are_those_of_the_environment_or_defaults():
    shown = settings(SOCIALSYNC_LISTEN="[::1]:9000", SOCIALSYNC_RETENTION_DAYS="90", SOCIALSYNC_DEV="1")
    assert shown["SOCIALSYNC_LISTEN"] == ("[::1]:9000", "environment")
    assert shown["SOCIALSYNC_RETENTION_DAYS"] == (90, "environment")
    assert shown["SOCIALSYNC_DEV"] == (True, "environment")
    assert shown["SOCIALSYNC_LOG"] == ("text", "default")
    assert shown["SOCIALSYNC_EGRESS_HTTP"] == (False, "default")
    assert shown["DB_HOST"] == (None, "default")
    assert shown["SOCIALSYNC_DATA_DIR"][0].startswith("/")


def test_a_dotenv_file_stands_behind_the_environment(tmp_path):
    (tmp_path / ".env").write_text("SOCIALSYNC_LOG=json\nSOCIALSYNC_LISTEN=1.2.3.4:80\n")
    answer = subprocess.run([binary(), "settings"], cwd=tmp_path, env=environment({"SOCIALSYNC_LISTEN": "8001"}),
                            capture_output=True, text=True, check=True)
    rows = dict(line.split(maxsplit=1) for line in answer.stdout.splitlines())
    assert rows["SOCIALSYNC_LOG"].split() == ["json", ".env"]
    assert rows["SOCIALSYNC_LISTEN"].split() == ["8001", "environment"]


def test_no_secret_is_shown():
    secrets = {"META_APP_SECRET": SECRET, "WHATSAPP_VERIFY_TOKEN": SECRET, "DB_PASSWORD": SECRET,
               "SOCIALSYNC_SECRETS_KEY": SECRET, "DATABASE_URL": f"postgresql://me:{SECRET}@db/shop",
               "SOCIALSYNC_EGRESS_PROXY": f"http://me:{SECRET}@proxy:3128"}
    for output in ("text", "json"):
        shown = run("settings", "--output", output, **secrets)
        assert SECRET not in shown.stdout + shown.stderr
    assert settings(**secrets)["META_APP_SECRET"] == (DOTS, "environment")
    assert settings(**secrets)["DATABASE_URL"] == (f"postgresql://me:{DOTS}@db/shop", "environment")


def test_an_invalid_setting_is_shown_and_told():
    shown = run("settings", "--output", "json", SOCIALSYNC_RETENTION_DAYS="soon", SOCIALSYNC_LISTN="x")
    assert shown.returncode == 2
    answer = json.loads(shown.stdout)
    assert {problem["setting"] for problem in answer["problems"]} == {"SOCIALSYNC_RETENTION_DAYS", "SOCIALSYNC_LISTN"}
    assert "SOCIALSYNC_RETENTION_DAYS: must be a whole number from 1 to 36500" in shown.stderr
    assert {"name": "SOCIALSYNC_RETENTION_DAYS", "value": "soon"}.items() <= next(
        row for row in answer["settings"] if row["name"] == "SOCIALSYNC_RETENTION_DAYS").items()
