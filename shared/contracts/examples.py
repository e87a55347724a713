"""Examples of every event, as they went out: one folder per wire type, one file per shape the event ever had.

They stand beside the contracts because documents show them; tests read them as the corpus of all past versions.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).parent / "corpus"


@cache
def examples_of(wire_type: str) -> tuple[dict[str, Any], ...]:
    """Return the examples of an event, the oldest shape first."""
    files = sorted((CORPUS / wire_type).glob("*.json"), key=lambda file: int(file.stem))
    return tuple(json.loads(file.read_text()) for file in files)


def wire_types() -> frozenset[str]:
    """Return the wire types that have examples."""
    return frozenset(folder.name for folder in CORPUS.iterdir())
