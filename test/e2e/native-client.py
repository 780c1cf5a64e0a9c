"""A client of the native protocol, written from docs/protocol.md alone: Python's standard library and msgpack.

    native-client.py HOST PORT        does a session and prints what came, a JSON line each
"""

import json
import socket
import struct
import sys

import msgpack

KINDS = {"HELLO": 0x81, "WELCOME": 0x82, "GOODBYE": 0x83, "PING": 0x84, "PONG": 0x85, "CALL": 0x86,
         "RESULT": 0x87, "FAILURE": 0x88, "TRANSACTION": 0x8D}
RAW, TEXT, BYTES, VALUE, ATOM, ARRAY, MAP, SET = range(8)
NIL, NO_ARRAY, OK, FAILED, CLOSED = range(5)
END = object()


class Failure(Exception):
    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


class Value:
    """An argument that is a value, not text or bytes."""

    def __init__(self, content):
        self.content = content


def item(kind, content):
    size = len(content)
    if size < 28:
        head = bytes([kind << 5 | size])
    elif size < 1 << 8:
        head = struct.pack(">BB", kind << 5 | 28, size)
    elif size < 1 << 16:
        head = struct.pack(">BH", kind << 5 | 29, size)
    else:
        head = struct.pack(">BI", kind << 5 | 30, size)
    return head + content


def argument(content):
    if isinstance(content, str):
        return item(TEXT, content.encode())
    if isinstance(content, bytes):
        return item(BYTES, content)
    return item(VALUE, msgpack.packb(content.content))


def arguments(words):
    return b"".join([item(RAW, words[0].encode())] + [argument(word) for word in words[1:]])


def frame(kind, number, body=b""):
    return struct.pack(">BII", KINDS[kind], number, len(body)) + body


class Items:
    def __init__(self, body):
        self.body = body
        self.at = 0

    def take(self, count):
        assert self.at + count <= len(self.body), "an item is cut short"
        self.at += count
        return self.body[self.at - count:self.at]

    def read(self):
        head = self.take(1)[0]
        kind, size = head >> 5, head & 31
        if kind == ATOM:
            return self.atom(size)
        if size in (28, 29, 30):
            size = int.from_bytes(self.take(1 << (size - 28)), "big")
        if kind in (RAW, TEXT):
            return self.text(self.take(size))
        if kind == BYTES:
            return self.take(size)
        if kind == VALUE:
            return msgpack.unpackb(self.take(size), strict_map_key=False)
        read = self.until_closed() if size == 31 else [self.read() for _ in range(size * (2 if kind == MAP else 1))]
        return dict(zip(read[::2], read[1::2])) if kind == MAP else read

    def until_closed(self):
        read = []
        while (one := self.read()) is not END:
            read.append(one)
        return read

    def atom(self, number):
        if number == FAILED:
            return Failure(self.read(), self.read())
        return {NIL: None, NO_ARRAY: None, OK: "OK", CLOSED: END}[number]

    @staticmethod
    def text(content):
        try:
            return content.decode()
        except UnicodeDecodeError:
            return content


class Client:
    def __init__(self, host, port):
        self.socket = socket.create_connection((host, port))
        self.received = self.socket.makefile("rb")
        self.last = -1
        hello = {"heartbeatMs": 0, "name": "python", "features": []}
        self.socket.sendall(b"\xc1hive\x01" + frame("HELLO", 0, item(VALUE, msgpack.packb(hello))))
        kind, _, body = self.read_frame()
        assert kind == KINDS["WELCOME"], kind
        self.welcome = Items(body).read()

    def read_frame(self):
        while True:
            kind, number, size = struct.unpack(">BII", self.received.read(9))
            body = self.received.read(size)
            if kind != KINDS["PING"]:
                return kind, number, body
            self.socket.sendall(frame("PONG", number))

    def send(self, kind, body):
        self.last += 2
        self.socket.sendall(frame(kind, self.last, body))
        return self.last

    def answer(self, number):
        kind, answered, body = self.read_frame()
        assert answered == number, f"an answer to {answered}, not {number}"
        items = Items(body)
        if kind == KINDS["RESULT"]:
            answer = items.read()
            assert items.at == len(body)
            return answer
        assert kind == KINDS["FAILURE"], kind
        raise Failure(items.read(), items.read())

    def call(self, *words):
        return self.answer(self.send("CALL", b"\0" + arguments(words)))

    def transact(self, *calls):
        body = b"".join(bytes([ARRAY << 5 | len(words)]) + arguments(words) for words in calls)
        return self.answer(self.send("TRANSACTION", body))


def code(run):
    try:
        return run()
    except Failure as failure:
        return failure.code


def shown(answer):
    if isinstance(answer, bytes):
        return {"bytes": answer.hex()}
    if isinstance(answer, Failure):
        return {"failed": answer.code}
    return [shown(one) for one in answer] if isinstance(answer, list) else answer


def session(client):
    yield {name: type(client.welcome[name]).__name__ for name in sorted(client.welcome)}
    yield client.call("SET", "greeting", "grüße")
    yield client.call("GET", "greeting")
    yield client.call("GET", "none")
    yield client.call("SET", "bytes", b"\0\xff")
    yield client.call("GET", "bytes")
    ada = {"born": 1815, "tags": ["math", None, True, 0.5, -3], "long": "x" * 300}
    yield client.call("HSET", "users", "ada", Value(ada))
    yield client.call("HGET", "users", "ada") == ada
    yield client.call("HGETALL", "users") == {"ada": ada}
    yield client.call("SADD", "set", Value(7), "7")
    yield client.call("SISMEMBER", "set", Value(7))
    yield client.transact(["INCR", "n"], ["HGET", "n", "f"], ["INCR", "n"], ["GET", "n"])
    yield code(lambda: client.transact(["INCR", "n"], ["NOSUCH"]))
    yield code(lambda: client.call("NOSUCH"))
    yield code(lambda: client.call("INCR", "greeting"))
    yield client.call("GET", "n")
    numbers = [client.send("CALL", b"\0" + arguments(["ECHO", str(i)])) for i in range(1000)]
    yield [client.answer(number) for number in numbers] == [str(i) for i in range(1000)]
    client.socket.sendall(frame("PING", 77))
    yield client.read_frame()[:2] == (KINDS["PONG"], 77)
    client.socket.sendall(b"\x90" + bytes(8))
    kind, number, body = client.read_frame()
    yield [kind == KINDS["GOODBYE"], number, Items(body).read(), client.received.read(1) == b""]


if __name__ == "__main__":
    for line in session(Client(sys.argv[1], int(sys.argv[2]))):
        print(json.dumps(shown(line), ensure_ascii=False))
