"""Ports on loopback: is one free, and what to say when it is not."""

import socket

from deploy.local.trouble import Trouble

LOOPBACK = "127.0.0.1"


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
    """Let the system name a port that nobody listens on."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port


def require_free(port: int, *, of: str, variable: str) -> None:
    """Refuse a taken port before anything starts: a probe would happily pass against the foreign server."""
    if not is_free(port):
        raise Trouble(
            f"Port {port} on {LOOPBACK}, wanted for {of}, is taken by another program.",
            fix=f"Stop that program, or choose another port: {variable}={port + 1000} make run",
        )
