"""A chat server that takes no time: it counts the bytes of a body, keeps none of them, and always answers B.

    python instant_server.py

Prints its port, and when its standard input closes, what it received and what that cost it, as JSON.
"""

import asyncio
import json
import resource
import sys

COMPLETION = json.dumps(
    {
        "id": "bench",
        "object": "chat.completion",
        "model": "bench",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "B"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 1, "total_tokens": 1001},
    }
).encode()
REPLY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(COMPLETION),
    COMPLETION,
)
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"
END_OF_HEADERS = b"\r\n\r\n"


class Connection(asyncio.BufferedProtocol):
    """Receives into one buffer that all connections share: what lies in it is never needed again."""

    buffer = bytearray(2**20)
    requests = 0
    received = 0

    def __init__(self) -> None:
        self.headers = bytearray()
        self.missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def get_buffer(self, size_hint: int) -> bytearray:
        return self.buffer

    def buffer_updated(self, size: int) -> None:
        Connection.received += size
        if not self.missing:
            self.headers += self.buffer[:size]
            end = self.headers.find(END_OF_HEADERS)
            if end < 0:
                return
            head = bytes(self.headers[:end]).lower()
            if head.startswith(b"get "):  # the look at the list of models, before much is uploaded
                self.headers.clear()
                self.transport.write(NOT_FOUND)
                return
            size = len(self.headers) - end - len(END_OF_HEADERS)
            self.missing = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
            self.headers.clear()
        self.missing -= size
        if self.missing <= 0:
            Connection.requests += 1
            self.missing = 0
            self.transport.write(REPLY)


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    report = {"requests": Connection.requests, "bytes": Connection.received, "cpu": usage.ru_utime + usage.ru_stime}
    print(json.dumps(report), flush=True)
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
