"""permessage-deflate against the Python package websockets (15.0.1), another implementation with zlib contexts of its own, both ways.

websockets_peer.py client URL    sends messages to an echo, for every kind of context and window, and checks what comes back
websockets_peer.py server PORT   is the echo's other half: serves Autobahn's three paths, a case a kind, and checks the client's echoes

The other side is tests/interop/ws_echo.c. Prints a line a kind; exits 1 when one failed.
"""
import asyncio
import random
import sys

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory

# server_no_context_takeover, client_no_context_takeover, server_max_window_bits, client_max_window_bits
KINDS = [(s, c, sb, cb) for s in (False, True) for c in (False, True) for sb, cb in ((None, None), (9, 9), (12, 10), (15, 15), (8, None))]
SERVED = [k for k in KINDS if k[2] != 8]  # zlib cannot compress with a window of 8: as a server the peer would have to
MAX = 1 << 20


def messages(seed):
    rand = random.Random(seed)
    for i in range(60):
        size = rand.choice((0, 1, 5, 100, 1000, 20000, 200000))
        if i % 5 == 4:
            yield rand.randbytes(size)
        else:
            yield "".join(rand.choice(("IBM", "BAC", '{"T":"q"}', "180.01", "ü", ",")) for _ in range(size // 4))


async def check(ws, seed):
    compressed = bool(ws.protocol.extensions)
    for m in messages(seed):
        await ws.send(m)
        back = await asyncio.wait_for(ws.recv(), 60)
        if back != m:
            return f"{len(m)} came back as {len(back)}"
    return "ok" if compressed else "not compressed"


async def as_client(url):
    bad = 0
    for i, (s, c, sb, cb) in enumerate(KINDS):
        factory = ClientPerMessageDeflateFactory(server_no_context_takeover=s, client_no_context_takeover=c,
                                                 server_max_window_bits=sb, client_max_window_bits=cb or True)
        async with connect(url, extensions=[factory], max_size=MAX) as ws:
            said = await check(ws, i)
        bad += said != "ok"
        print("server_no_context", s, "client_no_context", c, "windows", sb, cb, said)
    return bad


async def as_server(port):
    done, bad = asyncio.Event(), 0
    case = 0

    async def handle(ws):
        nonlocal bad
        path = ws.request.path
        if path.startswith("/getCaseCount"):
            await ws.send(str(len(SERVED)))
        elif path.startswith("/runCase"):
            said = await check(ws, case)
            bad += said != "ok"
            print(*ws.protocol.extensions, said)
        else:
            done.set()

    class PerCase(ServerPerMessageDeflateFactory):
        def process_request_params(self, params, accepted):
            self.__init__(*SERVED[case])
            return super().process_request_params(params, accepted)

    async def count(_, request):
        nonlocal case
        if request.path.startswith("/runCase"):
            case = int(request.path.split("case=")[1].split("&")[0]) - 1

    async with serve(handle, "127.0.0.1", port, process_request=count, extensions=[PerCase()], max_size=MAX):
        await done.wait()
    return bad


if __name__ == "__main__":
    side = as_client(sys.argv[2]) if sys.argv[1] == "client" else as_server(int(sys.argv[2]))
    sys.exit(1 if asyncio.run(side) else 0)
