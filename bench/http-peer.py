"""The peer of bench/http.ts: a memory of devices on Python's SimpleXMLRPCServer, and a client of xmlrpc.client.

    http-peer.py serve          says its port, and serves until it is ended
    http-peer.py load URL SECONDS    puts and fetches one after the other; says calls per second
"""

import sys
import time
import xmlrpc.client
import xmlrpc.server

TOKEN = "the token of the benchmark"


def serve():
    memory = {}

    def put(token, device, label, data):
        if token != TOKEN:
            return [False, "RETURN_STATUS:INVALID_AUTH_TOKEN"]
        memory.setdefault(device, {})[label] = data
        return [True, "RETURN_STATUS:SUCCESS"]

    def fetch(token, device, label):
        if token != TOKEN:
            return [False, "RETURN_STATUS:INVALID_AUTH_TOKEN"]
        if label not in memory.get(device, {}):
            return [False, "RETURN_STATUS:MEMORY KEY NOT FOUND"]
        return [True, memory[device][label]]

    server = xmlrpc.server.SimpleXMLRPCServer(("127.0.0.1", 0), logRequests=False)
    server.register_function(put, "memory_put")
    server.register_function(fetch, "memory_fetch")
    print(server.server_address[1], flush=True)
    server.serve_forever()


def load(url, seconds):
    memory = xmlrpc.client.ServerProxy(url)
    reading = {"temperature": 21.5, "at": 1764000000, "unit": "C"}
    calls = 0
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        assert memory.memory_put(TOKEN, "sensor", f"r{calls % 100}", reading)[0]
        assert memory.memory_fetch(TOKEN, "sensor", f"r{calls % 100}")[1] == reading
        calls += 2
    print(calls / (time.monotonic() - began))


if sys.argv[1] == "serve":
    serve()
else:
    load(sys.argv[2], float(sys.argv[3]))
