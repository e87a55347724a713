"""The repository's Python, parsed once."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SERVICES = ("assignment", "metrics", "collab")


@dataclass(frozen=True)
class Module:
    """One file of ours."""

    path: Path
    tree: ast.Module
    lines: int

    @property
    def name(self) -> str:
        """Return its path in the repository, for messages."""
        return str(self.path)

    def imported(self) -> Iterator[str]:
        """Name every module that is imported anywhere in the file."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module
                yield from (f"{node.module}.{alias.name}" for alias in node.names)

    def calls(self) -> Iterator[tuple[str, int]]:
        """Name every call as it is written, with its line: `datetime.now`, `connection.commit`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield ast.unparse(node.func), node.lineno


@cache
def modules(*folders: str) -> tuple[Module, ...]:
    """Parse every file below some folders."""
    found = (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))
    return tuple(_parse(path) for path in found if "__pycache__" not in path.parts)


def _parse(path: Path) -> Module:
    text = path.read_text()
    return Module(path.relative_to(ROOT), ast.parse(text), text.count("\n"))
