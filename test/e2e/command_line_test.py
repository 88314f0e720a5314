"""The command line as a whole: each command's help, misspelt words, the options that every command has."""

import json

import pytest

import program

pytestmark = pytest.mark.release_only  # static text and the parser of arguments

WITHOUT_DATABASE = {"up", "serve", "send", "version", "settings", "migrate sql", "secrets key"}


def commands(path=()):
    """The words of each command and group of the program, read from the lists of the helps."""
    lines = program.run(*path, "--help").stdout.splitlines()
    yield path
    if "Subcommands:" not in lines:
        return
    for line in lines[lines.index("Subcommands:") + 1:]:
        if not line:
            break
        if line.startswith("  ") and line[2] != " ":
            yield from commands((*path, line.split()[0]))


@pytest.fixture(scope="module")
def helps():
    return {path: program.run(*path, "--help") for path in commands()}


def is_group(help_text):
    return "Subcommands:" in help_text


def test_every_help_fits_and_has_an_exit_status(helps):
    assert len(helps) > 40
    for path, done in helps.items():
        assert (done.returncode, done.stderr) == (0, ""), path
        assert max(map(len, done.stdout.splitlines())) <= 80, path
        assert "\nExit status:\n  0  " in done.stdout, path
        assert done.stdout.count("Exit status:") == 1, path


def test_every_description_is_one_line_that_begins_with_a_verb(helps):
    for path, done in helps.items():
        first, second = done.stdout.splitlines()[:2]
        assert second.startswith("Usage: socialsync"), path
        assert first[0].isupper() and not first.split()[0].endswith(("s", "'s")), (path, first)


def test_every_command_on_the_database_takes_dsn_and_output(helps):
    for path, done in helps.items():
        if is_group(done.stdout) or " ".join(path) in WITHOUT_DATABASE:
            continue
        assert "--dsn URL" in done.stdout and "--output FORMAT" in done.stdout, path


def test_bare_words_print_the_help():
    bare = program.run()
    assert (bare.returncode, bare.stderr) == (0, "") and bare.stdout == program.run("--help").stdout
    group = program.run("endpoints")
    assert (group.returncode, group.stdout) == (2, "")
    assert "Subcommands:" in group.stderr and "socialsync endpoints: name a command" in group.stderr


def test_the_version_is_an_option_and_a_command():
    done = program.run("--version")
    assert done.returncode == 0 and done.stdout == program.run("version").stdout != ""


@pytest.mark.parametrize("arguments, told", [
    (["endpoint"], "no command endpoint; did you mean endpoints?"),
    (["endpoints", "lst"], "socialsync endpoints: no command lst; did you mean list?"),
    (["sreve"], "did you mean serve?"),
    (["endpoints", "add", "--acount", "1"], "socialsync endpoints add: no option --acount; did you mean --account?"),
    (["endpoints", "list", "--outptu=json"], "did you mean --output?"),
    (["quarantine", "xyzzyplugh"], "no command xyzzyplugh\n"),
])
def test_a_misspelt_word_names_the_nearest(arguments, told):
    done = program.run(*arguments)
    assert (done.returncode, done.stdout) == (2, "") and told in done.stderr and "--help" in done.stderr


def test_an_error_is_json_where_json_is_wanted(database_url):
    done = program.run("endpoints", "show", "00000000", "--output", "json", "--dsn", database_url)
    assert done.returncode == 9
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "data_blocks" and "not found" in error["message"] and error["message"] in done.stderr


def test_an_unreachable_database_is_refused():
    done = program.run("deliveries", "list", "--dsn", "postgresql://nobody@127.0.0.1:1/x", "--output", "json")
    assert done.returncode == 3 and json.loads(done.stdout)["error"]["code"] == "refused"
