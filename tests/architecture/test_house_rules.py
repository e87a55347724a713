"""Rules that review would repeat; what ruff, mypy and import-linter already say is not said again."""

import ast
from collections.abc import Iterator
from itertools import pairwise

import pytest

from tests.architecture.source import SERVICES, Module, modules

OURS = ("services", "shared")
LONGEST_FILE = 400
IMPURE = ("fastapi", "starlette", "sqlalchemy", "asyncpg", "aiokafka", "httpx", "shared.db", "shared.kafka")


def test_no_file_grows_beyond_reading():
    too_long = [module.name for module in modules(*OURS, "deploy", "tests") if module.lines > LONGEST_FILE]
    assert too_long == [], f"over {LONGEST_FILE} lines: split by idea"


def test_the_present_moment_comes_from_the_clock():
    """What asks the machine itself cannot be replayed or tested at a chosen moment."""
    asking = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time"}
    found = [
        f"{module.name}:{line}"
        for module in modules(*OURS)
        if module.name not in {"shared/runtime/clock.py", "shared/testing/tokens.py"}
        for call, line in module.calls()
        if call in asking
    ]
    assert found == [], "take uow.now, or a Clock"


def test_services_never_commit():
    """`transact` and the consumer commit: once, with the outbox, and with the offset."""
    found = [
        f"{module.name}:{line}"
        for module in modules("services")
        for call, line in module.calls()
        if call.rpartition(".")[2] in {"commit", "rollback"}
    ]
    assert found == []


def test_nothing_but_settings_reads_the_environment():
    found = [
        module.name
        for module in modules(*OURS)
        for name in module.imported()
        if name in {"os.environ", "os.getenv"}
    ]
    found += [
        f"{module.name}:{line}"
        for module in modules(*OURS)
        for call, line in module.calls()
        if call.startswith("os.environ") or call == "os.getenv"
    ]
    assert found == []


def test_what_calls_itself_pure_imports_no_io():
    """A module whose docstring says "Pure." is domain logic: testable without a database or a server."""
    pure = [module for module in modules(*OURS) if "Pure." in docstring(module)]
    assert pure
    for module in pure:
        guilty = [name for name in module.imported() if name.startswith(IMPURE)]
        assert guilty == [], module.name


def docstring(module: Module) -> str:
    """Return a module's docstring, or nothing."""
    return ast.get_docstring(module.tree) or ""


@pytest.mark.parametrize("service", SERVICES)
def test_features_do_not_go_round_in_circles(service: str):
    """A feature uses another through its functions, and never one that uses it."""
    uses = dict(_uses(service))
    assert list(_cycles(uses)) == []


def _uses(service: str) -> Iterator[tuple[str, set[str]]]:
    package = f"services.{service}."
    features: dict[str, set[str]] = {}
    for module in modules(f"services/{service}"):
        parts = module.path.parts
        if len(parts) < 4 or parts[2] == "migrations":
            continue
        feature = parts[2]
        found = {name[len(package) :].split(".")[0] for name in module.imported() if name.startswith(package)}
        features.setdefault(feature, set()).update(found - {feature})
    for feature, used in features.items():
        yield feature, used & set(features)


def _cycles(uses: dict[str, set[str]]) -> Iterator[str]:
    done: set[str] = set()

    def walk(feature: str, path: tuple[str, ...]) -> Iterator[str]:
        if feature in path:
            circle = (*path[path.index(feature) :], feature)
            yield ", ".join(f"{one} uses {other}" for one, other in pairwise(circle))
        elif feature not in done:
            for used in sorted(uses[feature]):
                yield from walk(used, (*path, feature))
            done.add(feature)

    for feature in sorted(uses):
        yield from walk(feature, ())
