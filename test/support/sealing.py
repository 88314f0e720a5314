"""Encrypted values made by another program: hashlib and PyNaCl, from docs/decisions/0016-secrets-at-rest.md alone."""

import base64
import hashlib
import secrets

from nacl.bindings import (crypto_aead_xchacha20poly1305_ietf_decrypt as aead_open,
                           crypto_aead_xchacha20poly1305_ietf_encrypt as aead_seal)

NONCE_BYTES = 24


def new_key():
    return secrets.token_hex(32)


def key_id(key):
    return hashlib.sha256(b"socialsync secrets key id v1" + bytes.fromhex(key)).hexdigest()[:8]


def _place(row_id, column, table):
    return f"socialsync|{table}|{row_id}|{column}".encode()


def seal(plain, key, row_id, column, nonce=None, table="social_accounts"):
    nonce = nonce or secrets.token_bytes(NONCE_BYTES)
    box = nonce + aead_seal(plain.encode(), _place(row_id, column, table), nonce, bytes.fromhex(key))
    return f"enc:v1:{key_id(key)}:{base64.urlsafe_b64encode(box).decode().rstrip('=')}"


def unseal(value, key, row_id, column, table="social_accounts"):
    """Raises nacl.exceptions.CryptoError when it is not this key's, or not of this place."""
    head, version, named, text = value.split(":")
    assert (head, version, named) == ("enc", "v1", key_id(key)), value
    box = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return aead_open(box[NONCE_BYTES:], _place(row_id, column, table), box[:NONCE_BYTES], bytes.fromhex(key)).decode()
