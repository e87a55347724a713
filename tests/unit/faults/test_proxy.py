"""The proxy breaks a real connection in the way its mode says."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.faults.proxy import Link, Mode, Proxies

PATIENCE = 5.0
MOMENT = 0.3


@pytest.fixture
def echo() -> Iterator[int]:
    """A server that sends back what it gets, and goes on while anybody is connected."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answer(connection: socket.socket) -> None:
        with connection:
            try:
                while data := connection.recv(65536):
                    connection.sendall(data)
            except OSError:
                pass

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


@pytest.fixture
def link(echo: int) -> Iterator[Link]:
    with Proxies() as proxies:
        yield proxies.link("to the echo", echo)


def connect(link: Link) -> socket.socket:
    return socket.create_connection(("127.0.0.1", link.port), timeout=PATIENCE)


def ask(connection: socket.socket, data: bytes) -> bytes:
    connection.sendall(data)
    found = b""
    while len(found) < len(data) and (more := connection.recv(65536)):
        found += more
    return found


def hears_nothing(connection: socket.socket) -> bool:
    connection.settimeout(MOMENT)
    try:
        return connection.recv(1) == b"?"
    except TimeoutError:
        return True
    finally:
        connection.settimeout(PATIENCE)


def test_it_passes_what_it_gets(link: Link):
    with connect(link) as connection:
        assert ask(connection, b"x" * 200_000) == b"x" * 200_000


def test_drop_swallows_and_what_was_swallowed_never_comes(link: Link):
    with connect(link) as connection:
        ask(connection, b"before")
        link.switch(Mode.DROP)
        connection.sendall(b"swallowed")
        assert hears_nothing(connection)
        link.switch(Mode.PASS)
        assert ask(connection, b"after") == b"after"


def test_half_open_keeps_the_connection_and_everything_arrives_once_it_is_healed(link: Link):
    with connect(link) as connection:
        ask(connection, b"before")
        link.switch(Mode.HALF_OPEN)
        connection.sendall(b"later")
        assert hears_nothing(connection)
        link.switch(Mode.PASS)
        assert connection.recv(100) == b"later"


def test_half_open_takes_new_connections_and_says_nothing(link: Link):
    link.switch(Mode.HALF_OPEN)
    with connect(link) as connection:
        connection.sendall(b"hello")
        assert hears_nothing(connection)


def test_reset_resets(link: Link):
    with connect(link) as connection:
        ask(connection, b"before")
        link.switch(Mode.RESET)
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_cut_closes_in_the_middle_of_a_frame(link: Link):
    with connect(link) as connection:
        ask(connection, b"before")
        link.switch(Mode.CUT, cut_after=100)
        connection.sendall(b"x" * 1000)
        found = b""
        while more := connection.recv(65536):
            found += more
        assert len(found) <= 100
    assert link.cuts == 1


def test_a_cut_that_no_frame_is_long_enough_for_is_not_counted(link: Link):
    link.switch(Mode.CUT, cut_after=100)
    with connect(link) as connection:
        assert ask(connection, b"short") == b"short"
    assert link.cuts == 0


def test_what_is_lost_on_the_way_is_counted(link: Link):
    for share, lost in ((0.0, 0), (1.0, 2)):
        link.switch(Mode.DELAY, delay=0.0, lost_share=share, retransmission=0.01)
        with connect(link) as connection:
            assert ask(connection, b"there and back") == b"there and back"
        assert link.lost == lost


def test_delay_and_throttle_take_their_time(link: Link):
    with connect(link) as connection:
        ask(connection, b"before")
        for mode, numbers in ((Mode.DELAY, {"delay": 0.1}), (Mode.THROTTLE, {"bytes_per_second": 10})):
            link.switch(mode, **numbers)
            began = time.monotonic()
            assert ask(connection, b"x") == b"x"
            assert time.monotonic() - began >= 0.2


def test_a_pattern_resets_the_connection_that_sends_it(link: Link):
    link.reset_when(b"COMMIT")
    with connect(link) as other, connect(link) as connection:
        assert ask(other, b"BEGIN") == b"BEGIN"
        connection.sendall(b"COMMIT;")
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
        assert ask(other, b"SELECT") == b"SELECT"
    assert link.resets == 1
