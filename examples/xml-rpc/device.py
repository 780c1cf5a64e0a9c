"""A device that keeps its readings in a hive, with nothing but Python's standard library.

    memhive serve --token "a token of 16 characters" --device-bytes-max 1mb
    python3 device.py http://127.0.0.1:4483/RPC2 "a token of 16 characters" sensor-7 1000000

It stores a value of every type of XML-RPC, gets each back, and shows what a hive answers where something is wrong. The
last argument is what a device may have; leave it out where the hive has no such cap.
"""

import datetime
import sys
import xmlrpc.client

url, token, device = sys.argv[1:4]
cap = int(sys.argv[4]) if len(sys.argv) > 4 else None
memory = xmlrpc.client.ServerProxy(url, allow_none=True)
SUCCESS = [True, "RETURN_STATUS:SUCCESS"]
NOT_FOUND = "RETURN_STATUS:MEMORY KEY NOT FOUND"
FULL = [False, "RETURN_STATUS:MEMORY_CAP_REACHED"]
WRONG_TOKEN = [False, "RETURN_STATUS:INVALID_AUTH_TOKEN"]


def same(got, expected):
    """Equal, and of the same types at every depth: 3.0 is not 3."""
    assert type(got) is type(expected), (got, expected)
    if isinstance(expected, dict):
        assert got.keys() == expected.keys(), (got, expected)
        for name in expected:
            same(got[name], expected[name])
    elif isinstance(expected, list):
        assert len(got) == len(expected), (got, expected)
        for one, other in zip(got, expected):
            same(one, other)
    else:
        assert got == expected, (got, expected)


VALUES = {
    "text": "temperature <&> \u00e9\u4e16\U0001f41d\n\t ]]>",
    "empty text": "",
    "spaces": "  x  ",
    "zero": 0,
    "smallest": -(2**31),
    "largest": 2**31 - 1,
    "double": 3.0,
    "fraction": -0.1,
    "tiny": 5e-324,
    "huge": 1.7976931348623157e308,
    "yes": True,
    "no": False,
    "nothing": None,
    "bytes": xmlrpc.client.Binary(bytes(range(256)) * 3),
    "no bytes": xmlrpc.client.Binary(b""),
    "time": xmlrpc.client.DateTime(datetime.datetime(2024, 2, 29, 23, 59, 58)),
    "empty array": [],
    "empty struct": {},
    "nested": {"list": [1, 2.0, "3", [4.0, []], {"": {}}], "__proto__": 1, "deep": {"a": {"b": [None, True]}}},
}

assert memory.memory_clear(token, device) in (SUCCESS, [True, NOT_FOUND])
for label, value in VALUES.items():
    assert memory.memory_put(token, device, label, value) == SUCCESS
for label, value in VALUES.items():
    ok, got = memory.memory_fetch(token, device, label)
    assert ok is True
    same(got, value)
assert memory.memory_labels(token, device)[0] is True
assert sorted(memory.memory_labels(token, device)[1]) == sorted(VALUES)

assert memory.memory_put(token, device, 7, "by number") == SUCCESS
assert memory.memory_put(token, device, "7", "by text") == SUCCESS
assert memory.memory_fetch(token, device, 7) == [True, "by number"]
assert memory.memory_has(token, device, "nothing") == [True, True]
assert memory.memory_delete(token, device, "nothing") == SUCCESS
assert memory.memory_has(token, device, "nothing") == [True, False]

large = "x" * 300_000
assert memory.memory_put(token, device, "large", large) == SUCCESS
assert memory.memory_fetch(token, device, "large") == [True, large]

if cap is not None:
    # What is refused changes nothing: the label keeps what it had, and another one is not there.
    assert memory.memory_put(token, device, "large", "y" * cap) == FULL
    assert memory.memory_fetch(token, device, "large") == [True, large]
    kept = 0
    while memory.memory_put(token, device, f"filler {kept}", "z" * 100_000) == SUCCESS:
        kept += 1
    assert 0 < kept < cap / 100_000
    assert memory.memory_put(token, device, f"filler {kept}", "z" * 100_000) == FULL
    assert memory.memory_fetch(token, device, f"filler {kept}") == [False, NOT_FOUND]
    assert memory.memory_delete(token, device, "filler 0") == SUCCESS
    assert memory.memory_put(token, device, f"filler {kept}", "z" * 100_000) == SUCCESS

assert memory.memory_fetch(token, device, "nowhere") == [False, NOT_FOUND]
assert memory.memory_delete(token, device, "nowhere") == [False, NOT_FOUND]
assert memory.memory_clear(token, device) == SUCCESS
assert memory.memory_clear(token, "a device that nobody knows") == [True, NOT_FOUND]
for call in ("memory_put", "memory_fetch", "memory_clear"):
    arguments = {"memory_put": ["label", 1], "memory_fetch": ["label"], "memory_clear": []}[call]
    stranger = xmlrpc.client.ServerProxy(url)
    if token:
        assert getattr(stranger, call)("wrong" + token, device, *arguments) == WRONG_TOKEN
for wrong in (lambda: memory.no_such_method(token), lambda: memory.memory_fetch(token, device)):
    try:
        wrong()
        raise SystemExit("no fault came")
    except xmlrpc.client.Fault as fault:
        assert fault.faultCode == 1, fault
print("all of it was as it should be")
