"""Ports on loopback: is one free, and what to say when it is not."""

import atexit
import socket

from deploy.local.trouble import Trouble

LOOPBACK = "127.0.0.1"

_held: list[socket.socket] = []


@atexit.register
def let_go() -> None:
    """Close what is held; Python would complain about sockets that nobody closed."""
    while _held:
        _held.pop().close()


def is_free(port: int) -> bool:
    """Tell whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a port in TIME_WAIT after the last run is not taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Let the system name a port for a server that is yet to start, and keep it for that server.

    The port stays bound, without listening, for as long as this process lives: otherwise the system may give it to
    the next outgoing connection of any process before the server is up. A server that sets SO_REUSEADDR, as
    all of ours, Postgres and Kafka do, may listen on a port so held, and again after a restart.
    """
    holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    holder.bind((LOOPBACK, 0))
    # After the bind, so that the system chooses a port which nobody else holds in this way.
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _held.append(holder)
    port: int = holder.getsockname()[1]
    return port


def require_free(port: int, *, of: str, variable: str) -> None:
    """Refuse a taken port before anything starts: a probe would happily pass against the foreign server."""
    if not is_free(port):
        raise Trouble(
            f"Port {port} on {LOOPBACK}, wanted for {of}, is taken by another program.",
            fix=f"Stop that program, or choose another port: {variable}={port + 1000} make run",
        )
