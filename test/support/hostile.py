"""Contents of hostile bodies: values, bytes and shapes. Pure data; the tests state the expected results."""

import meta

DIGITS = "9" * 100_000

# JSON values, as they are written, that PostgreSQL's jsonb refuses or would print as a flood.
UNFIT_VALUES = {
    "NUL": r'"a\u0000b"',
    "NUL in a key": r'{"a\u0000b": 1}',
    "high surrogate": r'"\ud83d"',
    "low surrogate": r'"\ude00"',
    "surrogates swapped": r'"\ude00\ud83d"',
    "two high surrogates": r'"\ud83d\ud83d"',
    "high surrogate before a letter": r'"\ud83dA"',
    "high surrogate before an escape": r'"\ud83d\u0041"',
    "low surrogate in a key": r'{"\uDE00": 1}',
    "prints as 131,072 digits": "1e131071",
    "overflows numeric": "1e400000",
    "overflows everything": "-1e999999999",
    "underflows": "1e-999999999",
    "exponent of 20 digits": "1E+99999999999999999999",
    "100,000 digits": DIGITS,
    "100,000 digits behind the point": "-0." + DIGITS,
    "deep inside": r'[[{"a": [{"b": "\u0000"}, 1e400000]}]]',
}

# And odd ones that it holds as they are.
FIT_VALUES = {
    "beyond 2^53": "9007199254740993",
    "beyond 2^64": "123456789012345678901234567890",
    "beyond 2^53 as text": '"9007199254740995"',
    "written NUL": r'"a\\u0000b"',
    "pair of surrogates": r'"\ud83d\ude00"',
    "no characters": r'"\uffff\ufffe\u0001\u007f"',
    "large, but few digits": "1e100",
    "minus zero": "-0.0",
    "empty key": '{"": {"": ""}}',
    "key of its own twice": '{"a": 1, "b": 2, "a": 3, "\\u0061": 4}',
    "empty": '[{}, [], "", null, false, 0]',
    "50 deep": "[" * 50 + "]" * 50,
}

# A whole body's bytes that are no JSON; HERE is a webhook that would be good.
NO_JSON = {
    "byte order mark": b"\xef\xbb\xbfHERE",
    "trailing garbage": b"HERE;",
    "trailing NUL": b"HERE\0",
    "two bodies": b"HEREHERE",
    "form": b"payload=HERE",
    "cut short": b'{"entry":[HERE',
    "unclosed": b"[HERE,",
    "single quotes": b"{'a': HERE}",
    "comment": b"HERE // really",
    "not a number": b'{"a": NaN, "b": HERE}',
    "control character": b'{"a": "\x01", "b": HERE}',
    "overlong NUL": b'{"a": "\xc0\x80", "b": HERE}',
    "overlong slash": b'{"a": "\xe0\x80\xaf", "b": HERE}',
    "overlong in four": b'{"a": "\xf0\x80\x80\xaf", "b": HERE}',
    "cut character": b'{"a": "\xe2\x82", "b": HERE}',
    "character cut by the end": b"HERE\xe2\x82",
    "surrogates as UTF-8": b'{"a": "\xed\xa0\xbd\xed\xb8\x80", "b": HERE}',
    "lone continuation": b'{"a": "\x80", "b": HERE}',
    "beyond Unicode": b'{"a": "\xf4\x90\x80\x80", "b": HERE}',
    "Latin 1": '{"a": "é", "b": HERE}'.encode("latin1"),
    "UTF-16": b"\xff\xfe{\0}\0HERE",
}

# Values of wrong types for a member.
WRONG_TYPES = ["null", "true", "0", '""', "[]", "{}", '"' + "é" * 2000 + '"']


def member_places():
    """Where in a body a value may be odd: each a function of its JSON text, and of a message beside it, to a body."""
    return {
        "unknown member": lambda odd, key, beside: _body(key, _message('"odd": ' + odd), beside),
        "text": lambda odd, key, beside: _body(key, _message('"text": {"body": ' + odd + "}"), beside),
        "id": lambda odd, key, beside: _body(key, '{"id": ' + odd + ', "from": "1", "timestamp": "1760000001"}', beside),
        "sender": lambda odd, key, beside: _body(key, _message('"from": ' + odd), beside),
        "time": lambda odd, key, beside: _body(key, _message('"timestamp": ' + odd), beside),
        "contact": lambda odd, key, beside: _body(
            key, _message('"from": "77"'), beside, contacts='[{"wa_id": "77", "profile": {"name": ' + odd + "}}]"),
        "metadata": lambda odd, key, beside: _body(key, _message('"a": 1'), beside, display=odd),
        "entry's time": lambda odd, key, beside: _body(key, _message('"a": 1'), beside, entry_time=odd),
    }


def _message(member):
    return '{"id": "' + meta.new_id() + '", ' + member + "}"


def _body(key, odd_message, beside, contacts="[]", display='"15550000000"', entry_time="1760000000"):
    """A message that is odd, and one in a change of its own that is not."""
    return (
        '{"object": "whatsapp_business_account", "entry": [{"id": "' + key + '", "time": ' + entry_time
        + ', "changes": [{"field": "messages", "value": {"metadata": {"phone_number_id": "' + key
        + '", "display_phone_number": ' + display + '}, "contacts": ' + contacts + ', "messages": [' + odd_message
        + ']}}, {"field": "messages", "value": {"metadata": {"phone_number_id": "' + key + '"}, "messages": [' + beside
        + "]}}]}]}").encode()
