"""Meta's GET: the challenge is returned byte for byte for a valid verify token only."""

import urllib.parse

import pytest

import meta
from gateway import Gateway
from tenants import new_secret

WHATSAPP_TOKEN, INSTAGRAM_TOKEN, ACCOUNT_TOKEN, INACTIVE_TOKEN = (new_secret() for _ in range(4))
PATHS = {name: f"/api/{name}/webhook" for name in ("whatsapp", "instagram", "messenger", "meta")}
ODD_CHALLENGES = ["1158201444", "a b+c&d=e%f", "<script>é€😀", "".join(map(chr, range(1, 128))), "\r\nX-Evil: 1"]


@pytest.fixture(scope="module")
def gateway(database, database_url):
    database.add_account(verify_token=ACCOUNT_TOKEN)
    database.add_account(verify_token=INACTIVE_TOKEN, is_active=False)
    tokens = {"WHATSAPP_VERIFY_TOKEN": WHATSAPP_TOKEN, "INSTAGRAM_VERIFY_TOKEN": INSTAGRAM_TOKEN}
    with Gateway(database_url, **tokens) as running:
        yield running


def handshake(client, path, token, challenge="1158201444", mode="subscribe"):
    query = {"hub.mode": mode, "hub.challenge": challenge, "hub.verify_token": token}
    given = {name: value for name, value in query.items() if value is not None}
    return client.get(f"{path}?{urllib.parse.urlencode(given)}")


@pytest.mark.parametrize("path", PATHS.values())
def test_a_token_of_an_account_opens_every_url(client, path):
    answer = handshake(client, path, ACCOUNT_TOKEN)
    assert (answer.status, answer.body) == (200, b"1158201444")
    assert answer.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("name, token, status", [
    ("whatsapp", WHATSAPP_TOKEN, 200), ("instagram", WHATSAPP_TOKEN, 403), ("messenger", WHATSAPP_TOKEN, 403),
    ("meta", WHATSAPP_TOKEN, 200),
    ("whatsapp", INSTAGRAM_TOKEN, 403), ("instagram", INSTAGRAM_TOKEN, 200), ("messenger", INSTAGRAM_TOKEN, 403),
    ("meta", INSTAGRAM_TOKEN, 200),
])
def test_a_token_of_the_environment_opens_its_platform(client, name, token, status):
    assert handshake(client, PATHS[name], token).status == status


@pytest.mark.parametrize("token", [INACTIVE_TOKEN, ACCOUNT_TOKEN + "x", ACCOUNT_TOKEN[:-1], f"wrong-{meta.SECRET}"])
def test_another_token_is_forbidden(client, token):
    answer = handshake(client, PATHS["whatsapp"], token)
    assert (answer.status, answer.error_code()) == (403, "wrong_verify_token")


@pytest.mark.parametrize("changed", [{"token": None}, {"token": ""}, {"challenge": None}, {"mode": None},
                                     {"mode": "unsubscribe"}])
def test_without_its_parameters_it_is_a_bad_request(client, changed):
    answer = handshake(client, PATHS["whatsapp"], **{"token": ACCOUNT_TOKEN, **changed})
    assert (answer.status, answer.error_code()) == (400, "bad_handshake")


@pytest.mark.parametrize("challenge", ODD_CHALLENGES, ids=range(len(ODD_CHALLENGES)))
def test_a_challenge_comes_back_byte_for_byte(client, challenge):
    answer = handshake(client, PATHS["meta"], ACCOUNT_TOKEN, challenge)
    assert answer.body == challenge.encode()
    assert "X-Evil" not in answer.headers
