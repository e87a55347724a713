"""A database's address is libpq's, TLS included."""

import asyncio

import pytest
from sqlalchemy import text

from shared.db.engine import build_engine

SSL_REQUEST = bytes.fromhex("0000000804d2162f")


@pytest.mark.parametrize(("sslmode", "asks"), [("require", True), ("disable", False)])
async def test_the_addresss_sslmode_decides_whether_tls_is_asked_for(sslmode: str, *, asks: bool):
    """The server here has no TLS: who must have it leaves without having said who they are."""
    heard = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readexactly(8))
        writer.write(b"N")
        await writer.drain()
        heard.append(await reader.read(1024))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    engine = build_engine(
        f"postgresql://app:canary@127.0.0.1:{port}/bailiwick?sslmode={sslmode}",
        schema="metrics",
        application_name="test",
    )
    with pytest.raises(Exception):  # noqa: B017  # whatever the driver makes of such a server
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    await engine.dispose()
    server.close()
    await server.wait_closed()

    assert (heard[0] == SSL_REQUEST) is asks
    assert (b"app" in b"".join(heard)) is not asks
