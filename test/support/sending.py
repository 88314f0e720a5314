"""Webhooks of a tenant, one message each."""

import meta
from tenants import SHARED_SECRET

PATH = "/api/whatsapp/webhook"


def send(gateway, account, count=1):
    """Sends so many, each accepted; gives the messages' ids."""
    client = gateway.client()
    messages = [meta.message() for _ in range(count)]
    for message in messages:
        assert client.post(PATH, meta.whatsapp_messages(account.key, message), SHARED_SECRET).status == 200
    client.close()
    return [message["id"] for message in messages]
