"""One dialect in all three services: who has read one feature finds the rooms of any other."""

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from shared.http.routes import api_routes
from tests.architecture.source import SERVICES, Module, modules
from tests.contract.snapshots import build_app

NAMELESS = {"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"}
VERBS = {"POST": "create", "PUT": "put", "PATCH": "update", "DELETE": "delete"}
WRITES = re.compile(r"^\s*(WITH\b.*\b)?(INSERT INTO|UPDATE|DELETE FROM|MERGE INTO)\s", re.DOTALL)


def test_every_module_says_what_it_is_for():
    silent = [
        module.name
        for module in modules("services", "shared", "deploy")
        if module.tree.body and not ast.get_docstring(module.tree)
    ]
    assert silent == []


def test_modules_are_named_after_an_idea():
    found = [
        module.name
        for module in modules("services", "shared", "deploy", "tests")
        if NAMELESS & {*module.path.parts, module.path.stem}
    ]
    assert found == [], "name what it holds"


def test_refusals_stand_in_refusals_py():
    """What a feature may answer with `no` is read in one place."""
    stray = [
        f"{module.name}: {name}"
        for module in modules("services")
        if module.path.name != "refusals.py"
        for name in _refusals(module)
    ]
    assert stray == []


def test_refusals_py_holds_nothing_else():
    for module in modules("services"):
        if module.path.name == "refusals.py":
            classes = {node.name for node in module.tree.body if isinstance(node, ast.ClassDef)}
            assert classes == set(_refusals(module)), module.name


def _refusals(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef) and any(
            ast.unparse(parent).rpartition(".")[2] in _known_refusals() for parent in node.bases
        ):
            yield node.name


@cache
def _known_refusals() -> set[str]:
    """Return the names of all refusals: a refusal of a refusal is one too."""
    known = {"Refusal"}
    parents = {
        node.name: {ast.unparse(parent).rpartition(".")[2] for parent in node.bases}
        for module in modules("services", "shared")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
    }
    while more := {name for name, above in parents.items() if above & known} - known:
        known |= more
    return known


def test_a_feature_writes_in_its_commands_and_keeps_others_facts_in_projections():
    """Whoever asks what changes a table reads `commands`, and nothing else."""
    stray = [
        f"{module.name}:{line}"
        for module in modules("services")
        if not {"commands", "commands.py", "projections", "migrations"} & set(module.path.parts)
        for line in _statements_that_write(module)
    ]
    assert stray == [], "into commands.py, or a module of commands/"


def _statements_that_write(module: Module) -> Iterator[int]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and WRITES.match(node.value):
            yield node.lineno


def test_routes_hold_no_sql():
    guilty = [
        module.name
        for module in modules("services")
        if module.path.name == "routes.py"
        and "sqlalchemy" in {name.split(".")[0] for name in module.imported()}
    ]
    assert guilty == []


@pytest.mark.parametrize("service", SERVICES)
def test_operations_are_named_by_their_method(service: str):
    """Who generates a client guesses the names of its functions."""
    app = build_app(service)
    schemas = app.openapi()["components"]["schemas"]
    named = {
        (method, path): operation
        for path, operations in app.openapi()["paths"].items()
        if path.startswith("/v1/")
        for method, operation in operations.items()
    }
    assert len(named) == sum(route.path.startswith("/v1/") for route in api_routes(app))
    assert {
        f"{method.upper()} {path}: {operation['operationId']}"
        for (method, path), operation in named.items()
        if operation["operationId"].partition("-")[0] not in _verbs(method, path, operation, schemas)
    } == set()


def _verbs(method: str, path: str, operation: dict, schemas: dict) -> set[str]:
    if method != "get":
        return {VERBS[method.upper()]}
    if path.endswith("}"):
        return {"get"}
    content = operation["responses"]["200"]["content"]
    if "text/event-stream" in content:
        return {"list"}
    if "application/json" not in content:
        # A file, such as a picture, is one thing.
        return {"get"}
    shown = content["application/json"]["schema"]
    schema = schemas[shown["$ref"].rpartition("/")[2]] if "$ref" in shown else shown
    # A summary or a diff is one thing; figures are many, in the shape of a report.
    return {"list"} if "items" in {*schema.get("properties", ()), *schema} else {"list", "get"}
