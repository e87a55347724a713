"""What each subscription keeps is declared, and true of the code: an operator may rely on it."""

import ast

import pytest

from services.assignment.consumers import CONSUMERS as ASSIGNMENT
from services.collab.consumers import CONSUMERS as COLLAB
from services.metrics.consumers import CONSUMERS as METRICS
from shared.messaging.projection import UNDECLARED, Entangled, Projection
from tests.architecture.source import modules
from tests.architecture.test_dialect import WRITES

SUBSCRIPTIONS = [
    pytest.param(service, consumer, subscription, id=f"{consumer}-{subscription.topic}")
    for service, consumers in (("assignment", ASSIGNMENT), ("metrics", METRICS), ("collab", COLLAB))
    for consumer, subscriptions in consumers.items()
    for subscription in subscriptions
]


@pytest.mark.parametrize(("service", "consumer", "subscription"), SUBSCRIPTIONS)
def test_a_subscription_says_what_it_keeps(service, consumer, subscription):
    assert subscription.keeps is not UNDECLARED
    if isinstance(subscription.keeps, Entangled):
        assert subscription.keeps.why.endswith(".")


@pytest.mark.parametrize(("service", "consumer", "subscription"), SUBSCRIPTIONS)
def test_only_the_handlers_of_a_projection_write_its_tables(service, consumer, subscription):
    """By module: who else wrote there would be forgotten by a rebuild."""
    if not isinstance(subscription.keeps, Projection):
        return
    handlers = [*subscription.handlers.values(), subscription.on_tombstones]
    own = {handler.__module__ for handler in handlers if handler is not None}
    writers = {
        ".".join(module.path.with_suffix("").parts)
        for module in modules(f"services/{service}")
        if "migrations" not in module.path.parts
        for statement in _statements(module.tree)
        for table in subscription.keeps.tables
        if WRITES.search(statement) and _writes_to(statement, table)
    }
    assert writers
    assert writers <= own


def _statements(tree: ast.Module) -> list[str]:
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def _writes_to(statement: str, table: str) -> bool:
    words = statement.replace("(", " ").split()
    starts = {"INTO", "UPDATE", "FROM"}
    return any(
        word == table and (words[at - 1] in starts) and (words[at - 1] != "FROM" or words[at - 2] == "DELETE")
        for at, word in enumerate(words)
        if at > 1 or words[0] in starts
    )
