"""A draft to design, and engines that design it."""

from collections.abc import AsyncIterator

import pytest

from services.assignment.design.own_process import Engines
from tests.service.assignment.conftest import Assignment
from tests.service.assignment.designs import Designs, organisation


@pytest.fixture(scope="module")
async def engines() -> AsyncIterator[Engines]:
    """Engines for all tests of a file: each run ends its own, the spare goes on to the next."""
    made = Engines()
    yield made
    await made.stop()


@pytest.fixture
async def designs(assignment: Assignment, engines: Engines) -> Designs:
    """A draft to design."""
    return Designs(assignment, engines, await organisation(assignment))
