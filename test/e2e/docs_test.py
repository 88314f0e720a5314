"""The documents name the settings, limits, metrics and messages of the program, and their links have targets."""

import pathlib
import re
import subprocess

import pytest

import meta
from document import Document, quantity
from program import binary
from suite import ROOT
from tenants import SHARED_SECRET

GUIDE, GUIDE_FR = GUIDES = [Document("docs/operations.md"), Document("docs/operations.fr.md")]
DOCUMENTS = [Document(path.relative_to(ROOT).as_posix())
             for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])]
EXAMPLE = Document("packaging/socialsync.env.example")

SETTING = r"\b(?:SOCIALSYNC|DB|META|WHATSAPP|INSTAGRAM)_[A-Z_]*[A-Z]|\bDATABASE_URL\b"
TEST_SETTINGS = {"SOCIALSYNC_BIN", "SOCIALSYNC_PG_BIN", "SOCIALSYNC_FIXTURES", "SOCIALSYNC_WRITE_GOLDEN"}  # the tests read them
LIMITS = {"config": ["Limits"], "http": ["Limits"], "parse": ["Limits"], "ingest": ["Limits", "BatchLimits", "ReceiverLimits"]}
MORE_LIMITS = {"ingest": ["TenantKeeperLimits"], "app": ["UpkeepLimits", "QuarantineKeeperLimits"]}  # not all documented
METRIC = r"\bsocialsync_(?!gateway|deliverer|accounts|verify)[a-z_]+[a-z]"


def source(*patterns):
    return "\n".join(path.read_text() for pattern in patterns for path in sorted((ROOT / "src").glob(pattern)))


def quoted_words(text):
    return set(re.findall(r'"(\w+)"', text))


def names(rows, column=0):
    """The words marked as code in a column of a table."""
    return {name for cells in rows for name in re.findall(r"`([^`]+)`", cells[column])}


# ---- Settings


def known_settings():
    return set(re.findall(r"^SETTING\((\w+)", source("config/settings.def"), re.M))


def test_the_tables_of_settings_are_those_of_the_source():
    assert subprocess.run([ROOT / "script/document-settings", "--check"], check=False).returncode == 0


@pytest.mark.parametrize("guide", GUIDES, ids=str)
def test_the_table_of_settings_is_complete(guide):
    assert {cells[0].strip("`") for cells in guide.table("`DATABASE_URL`")} == known_settings()


@pytest.mark.parametrize("document", [*DOCUMENTS, EXAMPLE], ids=str)
def test_every_setting_named_is_known(document):
    assert set(re.findall(SETTING, document.text)) <= known_settings() | TEST_SETTINGS


# ---- Limits


def limits(folder, structs):
    """The defaults of these structs of a folder, in bytes or milliseconds."""
    found = {}
    for struct in structs:
        text = re.search(rf"struct {struct} \{{(.*?)\n\}};", source(f"{folder}/*.hpp"), re.S)[1]
        members = re.findall(r"^  (\S+) (\w+)(?: =\s+(.+?)|\{(.+?)\});", text, re.M)
        found |= {name: count(value or braced) * milliseconds(kind) for kind, name, value, braced in members}
    return found


def count(expression):
    """A product or a shift of numbers: 4 * 1024, std::size_t{16} << 20."""
    numbers = [int(number) for number in re.findall(r"\d+", expression.replace("'", "").replace("size_t", ""))]
    if "<<" in expression:
        return numbers[0] << numbers[1]
    product = 1
    for number in numbers:
        product *= number
    return product


def milliseconds(kind):
    return {"std::chrono::seconds": 1000, "std::chrono::minutes": 60_000}.get(kind, 1)


@pytest.mark.parametrize("guide", GUIDES, ids=str)
def test_the_table_of_limits_equals_the_source(guide):
    places = {folder: limits(folder, structs) for folder, structs in LIMITS.items()}
    table = guide.table("`body_bytes_max`")
    documented = {(place, name.strip("`")): quantity(default) for name, default, place, _ in table}
    assert {(folder, name) for folder, found in places.items() for name in found} <= documented.keys()
    for folder, structs in MORE_LIMITS.items():
        places[folder] = places.get(folder, {}) | limits(folder, structs)
    for (place, name), default in documented.items():
        assert default == places[place][name], name


# ---- Metrics


@pytest.fixture
def all_metrics(database, gateway, client):
    """The names in /metrics once each has counted something."""
    account = database.add_account()
    gateway.settle(database)
    database.rows("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                  "WHERE datname = current_database() AND pid <> pg_backend_pid()")
    assert client.post("/api/meta/webhook", meta.whatsapp_messages(account.key), SHARED_SECRET).status == 200
    return set(re.findall(r"^# TYPE (\w+) ", client.get("/metrics").body.decode(), re.M))


@pytest.mark.parametrize("guide", GUIDES, ids=str)
def test_the_table_of_metrics_is_complete(guide, all_metrics):
    assert names(guide.table("`socialsync_requests_total`")) == all_metrics
    assert {name.removesuffix("_bucket") for name in re.findall(METRIC, guide.prose)} == all_metrics


# ---- Answers, reasons, messages of the log


@pytest.mark.parametrize("guide", GUIDES, ids=str)
def test_the_table_of_answers_is_complete(guide):
    told = names(guide.table("200"), column=1)
    answered = set(re.findall(r'(?:error_response|refuse)\(\d+, "(\w+)"', source("**/*.cpp")))
    assert answered <= told <= quoted_words(source("**/*.cpp"))


@pytest.mark.parametrize("guide", GUIDES, ids=str)
def test_the_table_of_reasons_is_complete(guide, database):
    check = database.value("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'webhook_quarantine_reason_known'")
    assert names(guide.table("`unknown_account`")) == set(re.findall(r"'(\w+)'", check))


@pytest.mark.parametrize("guide", GUIDES, ids=str)
def test_every_documented_log_message_is_in_the_source(guide):
    code = source("**/*.cpp")
    messages = names(guide.table("`listening`, `ready`, `stopping`, `stopped`"))
    assert [message for message in messages if f'"{message}"' not in code] == []


# ---- Shape and links


GLOSSARY, GLOSSARY_FR = Document("docs/glossary.md"), Document("docs/glossary.fr.md")


@pytest.mark.parametrize("english, french", [(GUIDE, GUIDE_FR), (GLOSSARY, GLOSSARY_FR)], ids=str)
def test_both_languages_have_one_shape(english, french):
    """Finds a language that was not updated."""
    def shape(guide):
        code = [re.sub(r"'[^']*'|(#|--) .*", "", block.text) for block in guide.blocks]
        return [level for level, _ in guide.headings], code, [len(table) for table in guide.tables]

    assert shape(english) == shape(french)


def test_every_page_links_the_glossary_once():
    def links(document):
        return [link for link in document.links if link.endswith(("glossary.md", "glossary.fr.md"))]

    pages = [document for document in DOCUMENTS if "glossary" not in document.path and document.path != "README.md"]
    assert [document.path for document in pages if len(links(document)) != 1] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_links_lead_somewhere(document):
    for link in document.links:
        if link.startswith("https://"):
            continue
        path, _, fragment = link.partition("#")
        target = (ROOT / document.path).parent / path if path else ROOT / document.path
        assert target.exists(), link
        if fragment:
            assert fragment in Document(target.resolve().relative_to(ROOT).as_posix()).anchors, link


def test_the_kinds_of_events_equal_the_program_s():
    printed = subprocess.run([binary().parent / "event_kinds"], capture_output=True, text=True, check=True).stdout
    assert Document("docs/events.md").text.endswith(printed)


# ---- Installation

IN_EVERY_DEBIAN = {"libc6", "libgcc-s1", "libstdc++6"}


def package_of(library):
    """The Debian package that has it, followed through symbolic links."""
    [path] = {path.resolve() for folder in ("/lib", "/usr/lib") for path in pathlib.Path(folder).glob(f"*-linux-gnu/{library}")}
    for name in (str(path), str(path).removeprefix("/usr")):
        owner = subprocess.run(["dpkg-query", "-S", name], capture_output=True, text=True, check=False).stdout
        if owner:
            return owner.split(":")[0]
    raise AssertionError(f"no package has {path}")


@pytest.mark.parametrize("guide", GUIDES, ids=str)
def test_the_packages_to_install_have_the_libraries_it_needs(guide):
    dynamic = subprocess.run(["llvm-readelf-19", "-d", binary()], capture_output=True, text=True, check=True).stdout
    needed = {package_of(library) for library in re.findall(r"NEEDED.*\[(.+)\]", dynamic)} - IN_EVERY_DEBIAN
    [line] = [line for block in guide.blocks for line in block.text.splitlines() if line.startswith("apt-get install ")]
    through_others = {"libssl3"}  # libpq5 brings it
    assert needed - through_others <= set(line.split()[2:])


# ---- Threats


THREATS = Document("docs/security.md")
NAMED_TESTS = sorted(set(re.findall(r"`([\w/]+_(?:test|fuzz)\.(?:py|cpp|sql))(?:::(\w+))?`", THREATS.text)))


def test_each_test_named_for_a_threat_exists():
    for file, name in NAMED_TESTS:
        found = list(ROOT.glob(file) if "/" in file else (ROOT / "test").rglob(file))
        assert len(found) == 1, file
        assert not name or re.search(rf"^def {name}\(", found[0].read_text(), re.M), f"{file}::{name}"


def test_each_threat_has_a_test():
    rows = [cells for table in THREATS.tables for cells in table]
    assert len(rows) > 20 and all(re.search(r"_(?:test|fuzz)\.", cells[2]) for cells in rows)
