"""Bodies as Meta shapes them, and Meta's signature.

All texts and secrets that tests use hold PRIVATE or SECRET: no log may show either (gateway.py looks).
"""

import hashlib
import hmac
import itertools
import json
import time

PRIVATE = "confidential"
SECRET = "s3cret"
CUSTOMER = "33765540003"

_numbers = itertools.count(1)
_run = hex(time.time_ns())[2:]


def sign(body, secret):
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def new_id(prefix="wamid."):
    """An id that no other event has."""
    return f"{prefix}{_run}.{next(_numbers)}"


def encode(webhook):
    return json.dumps(webhook, ensure_ascii=False).encode()


def now_s():
    return str(int(time.time()))


def message(text="bonjour à tous", message_id=None, timestamp=True):
    """A WhatsApp text message."""
    dated = {"timestamp": now_s()} if timestamp else {}
    return {"from": CUSTOMER, "id": message_id or new_id(), **dated, "type": "text", "text": {"body": f"{PRIVATE} {text}"}}


def status(word="delivered", message_id=None):
    """A WhatsApp status: sent, delivered, read, …"""
    return {"id": message_id or new_id(), "status": word, "timestamp": now_s(), "recipient_id": CUSTOMER}


def metadata(phone_number_id):
    return {"display_phone_number": "15550000000", "phone_number_id": phone_number_id}


def change(phone_number_id, messages=(), statuses=()):
    """A WhatsApp change of the field messages, with metadata and contacts as Meta sends them."""
    value = {"messaging_product": "whatsapp", "metadata": metadata(phone_number_id)}
    if messages:
        value["contacts"] = [{"profile": {"name": f"{PRIVATE} name"}, "wa_id": CUSTOMER}]
        value["messages"] = list(messages)
    if statuses:
        value["statuses"] = list(statuses)
    return {"field": "messages", "value": value}


def account_change(field, **value):
    """A WhatsApp change about the WABA: it names no phone number."""
    return {"field": field, "value": value}


def entry(entry_id, *changes):
    return {"id": entry_id, "changes": list(changes)}


def whatsapp(*entries):
    return encode({"object": "whatsapp_business_account", "entry": list(entries)})


def whatsapp_messages(phone_number_id, *messages):
    """The usual body: one entry, one change. Its entry names the number itself, which teaches no WABA."""
    return whatsapp(entry(phone_number_id, change(phone_number_id, messages or [message()])))


def whatsapp_statuses(phone_number_id, *statuses):
    return whatsapp(entry(phone_number_id, change(phone_number_id, statuses=statuses)))


def _messaging(kind, account_id, text, message_id):
    now_ms = int(time.time() * 1000)
    event = {
        "sender": {"id": CUSTOMER}, "recipient": {"id": account_id}, "timestamp": now_ms,
        "message": {"mid": message_id or new_id("mid."), "text": f"{PRIVATE} {text}"},
    }
    return encode({"object": kind, "entry": [{"id": account_id, "time": now_ms, "messaging": [event]}]})


def instagram_message(account_id, text="salut", message_id=None):
    return _messaging("instagram", account_id, text, message_id)


def messenger_message(page_id, text="salut", message_id=None):
    return _messaging("page", page_id, text, message_id)


def instagram_comment(account_id, comment_id=None):
    value = {"id": comment_id or new_id("comment."), "text": f"{PRIVATE} comment", "from": {"id": CUSTOMER}}
    return encode({"object": "instagram", "entry": [
        {"id": account_id, "time": int(time.time()), "changes": [{"field": "comments", "value": value}]}]})
