"""What tells development from production: the development issuer, its keys, and ways that others can listen on."""

import ipaddress
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

DEMO_ORGANISATION = "demo"
DEVELOPMENT_ISSUER = "https://issuer.bailiwick.invalid/development"
DEVELOPMENT_KEYS = ".local/issuer/jwks.json"
# Whoever copies the development issuer's key set takes this along, whatever the file is called then.
DEVELOPMENT_KEY_PREFIX = "development-"
_ENCRYPTED = frozenset({"require", "verify-ca", "verify-full"})


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches the host. An empty host is every interface."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_of_development_issuer(issuer: str) -> bool:
    """Compare the host, not the whole name: another spelling of the development issuer is no better."""
    return urlsplit(issuer).hostname == urlsplit(DEVELOPMENT_ISSUER).hostname


def is_development_key(entry: Any) -> bool:
    """Tell whether a key of a key set is the development issuer's."""
    return isinstance(entry, dict) and str(entry.get("kid", "")).startswith(DEVELOPMENT_KEY_PREFIX)


def publishes_development_keys(location: str) -> bool:
    """Tell whether the file holds a key of the development issuer; a URL is judged when its keys are read."""
    if location.lower().startswith("https://"):
        return False
    try:
        keys = json.loads(Path(location).read_text())["keys"]
        return any(is_development_key(entry) for entry in keys)
    except (OSError, ValueError, LookupError, TypeError):
        # A file that is not there yet, or not readable as keys, lets nobody in.
        return False


def may_speak_in_the_clear(database_url: str) -> bool:
    """Tell whether a database connection leaves this machine without TLS being a must.

    A socket's folder (?host=/run/postgresql) stays on the machine; a URL without any host may lead anywhere.
    """
    address = urlsplit(database_url)
    query = {name: values[-1] for name, values in parse_qs(address.query).items()}
    if query.get("sslmode") in _ENCRYPTED:
        return False
    named = address.netloc.rpartition("@")[2] or query.get("host", "")
    return not all(_stays_here(host) for host in named.split(","))


def _stays_here(host: str) -> bool:
    return host.startswith("/") or is_loopback(urlsplit(f"//{host}").hostname or "")
