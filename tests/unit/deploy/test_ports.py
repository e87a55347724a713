"""A port named for a server is kept for it."""

import socket

import pytest

from deploy.local.ports import LOOPBACK, free_port


def test_a_server_listens_on_its_port_again_after_a_restart():
    port = free_port()

    for _ in range(2):
        with socket.socket() as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind((LOOPBACK, port))
            server.listen()
            with socket.create_connection((LOOPBACK, port)):
                server.accept()[0].close()


def test_a_held_port_goes_to_no_outgoing_connection():
    held = free_port()

    with socket.socket() as server, socket.socket() as client:
        server.bind((LOOPBACK, 0))
        server.listen()
        # Asks for exactly this port, as the system would when it looks for a free one: without SO_REUSEADDR.
        with pytest.raises(OSError, match="in use"):
            client.bind((LOOPBACK, held))
