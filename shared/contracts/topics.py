"""Topics and their readers as subscribers see them: partitions, cleanup, and which consumer reads what.

deploy/kafka/topics.yaml is the list that makes a cluster's topics, and no part of an image. A service tells of its
topics at run time, so what it tells stands here too; a test holds the two equal.
"""

from typing import Any, Literal

from shared.contracts.assignment import (
    ACCOUNT_STATES,
    ACCOUNTS,
    COVERAGES,
    DESIGNS,
    PLANS,
    POTENTIALS,
    REPS,
    TERRITORIES,
)
from shared.contracts.collab import HANDOFFS, NOTES
from shared.contracts.customers import CUSTOMERS
from shared.contracts.metrics import ACCOUNT_STATE, GOALS
from shared.contracts.policies import OBLIGATIONS, POLICIES
from shared.contracts.sales import FACTS
from shared.contracts.training import TRAINING

Kind = Literal["events", "state", "dead-letters"]

SETTINGS: dict[Kind, dict[str, Any]] = {
    "events": {"cleanup.policy": ["delete"], "retention.ms": -1, "retention.bytes": -1},
    "state": {
        "cleanup.policy": ["compact"],
        "min.compaction.lag.ms": 3_600_000,
        "delete.retention.ms": 604_800_000,
    },
    "dead-letters": {"cleanup.policy": ["delete"], "retention.ms": -1, "retention.bytes": -1},
}
"""Settings of a topic by its kind, in milliseconds and bytes; -1 is without end."""

TOPICS: dict[str, tuple[Kind, int]] = {
    PLANS: ("events", 4),
    TERRITORIES: ("events", 4),
    ACCOUNTS: ("events", 8),
    ACCOUNT_STATES: ("state", 8),
    REPS: ("events", 4),
    COVERAGES: ("events", 4),
    POTENTIALS: ("events", 1),
    DESIGNS: ("events", 1),
    ACCOUNT_STATE: ("state", 8),
    GOALS: ("events", 4),
    CUSTOMERS: ("events", 8),
    HANDOFFS: ("events", 4),
    NOTES: ("events", 4),
    OBLIGATIONS: ("events", 4),
    POLICIES: ("events", 4),
    TRAINING: ("events", 4),
    FACTS: ("events", 8),
}
"""Kind and number of partitions of every topic. The number is for ever: it decides where a key lives."""

# The names of consumers outlive their code: offsets and dead letter topics carry them.
CONSUMERS: dict[str, dict[str, tuple[str, ...]]] = {
    "assignment": {
        "assignment.measures": (ACCOUNT_STATE,),
        "assignment.certifications": (TRAINING,),
        "assignment.customers": (CUSTOMERS,),
    },
    "metrics": {
        "metrics.attribution": (ACCOUNTS, PLANS, TERRITORIES),
        "metrics.coverages": (COVERAGES,),
        "metrics.facts": (FACTS,),
        "metrics.training": (TRAINING,),
    },
    "collab": {
        "collab.handoffs": (ACCOUNTS, PLANS, TERRITORIES, COVERAGES, ACCOUNT_STATE),
        "collab.training": (ACCOUNTS, TERRITORIES, REPS),
        "collab.goals": (GOALS,),
    },
}
"""What each consumer of a service reads; its name, after the installation's prefix, is its group id."""
