"""A load generator small enough not to be what is measured: kept-alive sockets, answers read by their length."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """One request, sent over and over."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any = None
    status: int = 200

    def encode(self, port: int) -> bytes:
        """Return the bytes on the wire."""
        payload = b"" if self.body is None else json.dumps(self.body).encode()
        head = {
            "host": f"127.0.0.1:{port}",
            "content-length": str(len(payload)),
            "content-type": "application/json",
            **self.headers,
        }
        lines = [f"{self.method} {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + payload


async def requests_per_second(port: int, call: Call, *, seconds: float = 3.0, connections: int = 16) -> float:
    """Send the call from several connections at once. Raises RuntimeError on any other status."""
    until = time.perf_counter() + seconds
    counts = await asyncio.gather(*(_one_connection(port, call, until) for _ in range(connections)))
    return sum(counts) / seconds


async def _one_connection(port: int, call: Call, until: float) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request, done = call.encode(port), 0
    expected = str(call.status).encode()
    while time.perf_counter() < until:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        answer = await reader.readexactly(length)
        if head.split(b" ", 2)[1] != expected:
            raise RuntimeError(f"{call.method} {call.path}: {answer!r}")
        done += 1
    writer.close()
    return done
