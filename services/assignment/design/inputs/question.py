"""What a run asks of the engine: accounts as arrays, as they were when the worker read them. Pure."""

from dataclasses import dataclass
from uuid import UUID

import numpy as np

from services.assignment.design.engine.arrays import Flags, Floats, Labels
from services.assignment.design.inputs.together import Groups
from services.assignment.design.inputs.unmet import Unmet
from services.assignment.design.runs.run import LeftOut


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """n accounts, K territories, A measures; it travels to the engine's process.

    latitude, longitude (n,) in degrees. measures (n, A), move_value (n,). incumbents (n,): the territory of today, -1
    for none of these. uprooted (n,): belongs to another today, and moves wherever it goes. fixed (n,): the territory it
    is pinned in, -1 for none. kinds (n,) and permitted (kinds, K) are
    None when nothing is required. capacities (K,); homes (K, 2): latitude and longitude, nan for nowhere.
    tolerance, soft (A,). most_moved: a share of the move_value of accounts that belong somewhere today.
    groups (n,): accounts of one number go to one territory; None keeps nobody together. least_accounts, most_accounts
    (K,): how many a territory may have; None for any number. barriers: lines, each of longitudes and latitudes, shape
    (k, 2), that nothing crosses. road (n,): by what the road to an account is longer than the crow's way, at least 1;
    None for as long.
    around: only what is new or gone is designed, that is territories without an account and accounts of none.
    Where a move costs nothing and any number may move, incumbents decide on names alone.
    """

    latitude: Floats
    longitude: Floats
    measures: Floats
    move_value: Floats
    incumbents: Labels
    uprooted: Flags
    fixed: Labels
    kinds: Labels | None
    permitted: Flags | None
    capacities: Floats
    homes: Floats
    tolerance: Floats
    soft: Flags
    pull: float
    stay: float
    most_moved: float
    contiguous: bool
    starts: int
    seed: int
    groups: Labels | None = None
    least_accounts: Floats | None = None
    most_accounts: Floats | None = None
    barriers: tuple[Floats, ...] = ()
    road: Floats | None = None
    around: bool = False

    @property
    def changes(self) -> bool:
        """Tell whether something is new or gone: a territory has no account, or an account has none and may choose."""
        held = np.isin(np.arange(self.territories), self.incumbents)
        return bool(not held.all() or ((self.incumbents < 0) & (self.fixed < 0)).any())

    @property
    def from_scratch(self) -> bool:
        """Tell whether nothing is held where it is."""
        return self.stay == 0.0 and self.most_moved >= 1.0

    @property
    def territories(self) -> int:
        """How many territories."""
        return len(self.capacities)

    @property
    def aligned(self) -> Flags:
        """Which accounts belong to a territory today, designed or not, shape (n,)."""
        return np.asarray((self.incumbents >= 0) | self.uprooted)

    def moved(self, labels: Labels) -> Flags:
        """Tell which of them would go to another, shape (n,)."""
        return np.asarray(((self.incumbents >= 0) & (self.incumbents != labels)) | self.uprooted)

    def moved_share(self, labels: Labels) -> float:
        """Return which share of what a move counts would go to another, of those that belong to one."""
        total = float(self.move_value[self.aligned].sum())
        return float(self.move_value[self.moved(labels)].sum()) / total if total > 0.0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """A question, and what its numbers stand for: the accounts in order, and where each belongs today.

    `groups` are those of the question, by name. `left_out` take no part though the run is about them; `elsewhere` counts the accounts that it is not about.
    """

    question: Question
    account_ids: list[UUID]
    before: list[UUID | None]
    left_out: list[tuple[UUID, LeftOut]]
    elsewhere: int
    unmet: list[Unmet]
    groups: Groups | None = None
