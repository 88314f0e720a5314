"""Receivers that harm others if they can: one takes a request and never answers, one takes ten seconds."""

import asyncio
import contextlib
import threading
from dataclasses import dataclass

SLOW_S = 10
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@dataclass
class BadReceivers:
    black_hole: str
    slow: str


async def _swallow(reader, writer):
    with contextlib.suppress(OSError):
        while await reader.read(65536):
            pass
    writer.close()


async def _answer_slowly(reader, writer):
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
            await reader.readexactly(length)
            await asyncio.sleep(SLOW_S)
            writer.write(ANSWER)
            await writer.drain()
    writer.close()


@contextlib.contextmanager
def bad_receivers():
    loop = asyncio.new_event_loop()

    async def serve(handler):
        server = await asyncio.start_server(handler, "127.0.0.1", 0, backlog=1024)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    urls = [asyncio.run_coroutine_threadsafe(serve(handler), loop).result() for handler in (_swallow, _answer_slowly)]
    try:
        yield BadReceivers(*urls)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
