"""`bailiwick [--service metrics] events lag`: the same as `python -m services.metrics events lag`.

Which service is meant may stand in the environment (SERVICE, which the services' images set), or be the only one
here: an image holds one. Services are found by their name and run as Python would run them; shared knows none.
"""

import argparse
import pkgutil
import runpy
import sys
from collections.abc import Sequence
from importlib.util import find_spec

from pydantic_settings import BaseSettings


class Surroundings(BaseSettings):
    """What the environment says of the service that is meant."""

    service: str | None = None


def main(argv: Sequence[str] | None = None) -> None:
    """Be the entry point `bailiwick`. Exits with what the service's process exits with."""
    here = installed_services()
    parser = argparse.ArgumentParser(
        prog="bailiwick",
        description="Run a role or an operator's command of a service: bailiwick --service metrics events lag",
    )
    only = here[0] if len(here) == 1 else None
    parser.add_argument("--service", choices=here, default=Surroundings().service or only)
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="api|events ...|...")
    options = parser.parse_args(argv)
    if options.service not in here:
        parser.error(f"--service: say which one is meant: {', '.join(here)}")
    sys.argv = [f"services.{options.service}", *options.words]
    runpy.run_module(f"services.{options.service}", run_name="__main__", alter_sys=True)


def installed_services() -> list[str]:
    """Return the names of the services whose code is here."""
    spec = find_spec("services")
    folders = [] if spec is None else spec.submodule_search_locations or []
    return sorted(module.name for module in pkgutil.iter_modules(folders) if module.ispkg)
