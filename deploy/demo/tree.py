"""The demo's territory tree and the rules that send every account to exactly one territory."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID, uuid5

from deploy.demo.patches import Patch
from deploy.demo.regions import REGION_OF_AREA, REGIONS

NAMESPACE = UUID("3d3f6f0a-8d0e-5a55-9d7e-6a0a4d2f7b31")
ROOT = "United States"


@dataclass(frozen=True, slots=True)
class Territory:
    """A node of the tree, as the API takes it."""

    territory_id: UUID
    name: str
    kind: str
    parent_id: UUID | None
    code: str

    def body(self) -> dict[str, Any]:
        """Return the JSON of the node."""
        return {name: str(v) if isinstance(v, UUID) else v for name, v in asdict(self).items()}


@dataclass(frozen=True)
class Rule:
    """A condition that sends accounts to a territory; the lowest position wins."""

    name: str
    territory_id: UUID
    position: int
    condition: dict[str, Any]
    rule_id: UUID = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rule_id", id_of("rule", self.name))

    def body(self) -> dict[str, Any]:
        """Return the JSON of the rule."""
        ids = {"rule_id": str(self.rule_id), "territory_id": str(self.territory_id)}
        return {**ids, "name": self.name, "position": self.position, "condition": self.condition}


def id_of(kind: str, name: str) -> UUID:
    """Return the id of something the demo made: the same in every installation."""
    return uuid5(NAMESPACE, f"{kind}/{name}")


def territory_id(name: str) -> UUID:
    """Return the id of a demo territory by its name."""
    return id_of("territory", name)


def named_territory(region: str) -> str:
    """Return the name of a region's territory of named accounts."""
    return f"{region} Named Accounts"


def upper_territories() -> tuple[str, ...]:
    """Return the names of the territories that have others below: the root, the regions, the areas."""
    return (ROOT, *REGIONS, *REGION_OF_AREA)


def has_accounts(territory: str) -> bool:
    """Tell whether accounts are sent to a demo territory: to those without others below."""
    return territory not in {str(territory_id(name)) for name in upper_territories()}


def build_tree(patches: Sequence[Patch]) -> tuple[Territory, ...]:
    """Return the root, the regions, the areas, then the sixty territories."""
    nodes = [_node(ROOT, None, "US")]
    for region, areas in REGIONS.items():
        nodes.append(_node(region, ROOT, _short(region)))
        nodes += [_node(area, region, f"{_short(region)}-{_short(area)}") for area in areas]
    counts = dict.fromkeys(REGION_OF_AREA, 0)
    for patch in patches:
        counts[patch.area] += 1
        region = REGION_OF_AREA[patch.area]
        code = f"{_short(region)}-{_short(patch.area)}-{counts[patch.area]:02}"
        nodes.append(_node(patch.name, patch.area, code))
    nodes += [
        _node(named_territory(region), region, f"{_short(region)}-NAMED", kind="named_account")
        for region in REGIONS
    ]
    return tuple(nodes)


def build_rules(patches: Sequence[Patch], named: Iterable[tuple[str, Sequence[str]]]) -> tuple[Rule, ...]:
    """Return the rules in order: named accounts, then postal codes of counties that were cut, then counties.

    `named` tells the external ids of the named accounts of each region.
    """
    found = [*_named_rules(named), *_postal_code_rules(patches), *_county_rules(patches)]
    return tuple(
        Rule(name, territory, 10 * number, {"field": about, "op": "in", "value": values})
        for number, (name, territory, about, values) in enumerate(found, start=1)
    )


_Draft = tuple[str, UUID, str, list[str]]


def _named_rules(named: Iterable[tuple[str, Sequence[str]]]) -> Iterator[_Draft]:
    for region, external_ids in named:
        if external_ids:
            name = named_territory(region)
            yield name, territory_id(name), "external_id", list(external_ids)


def _postal_code_rules(patches: Sequence[Patch]) -> Iterator[_Draft]:
    for patch in patches:
        if patch.postal_codes:
            yield f"{patch.name}: ZIPs", territory_id(patch.name), "postal_code", sorted(patch.postal_codes)


def _county_rules(patches: Sequence[Patch]) -> Iterator[_Draft]:
    for patch in patches:
        if patch.counties:
            yield f"{patch.name}: counties", territory_id(patch.name), "county", sorted(patch.counties)


def _node(name: str, parent: str | None, code: str, *, kind: str = "geographic") -> Territory:
    above = None if parent is None else territory_id(parent)
    return Territory(territory_id(name), name, kind, above, code)


def _short(name: str) -> str:
    words = name.split()
    return "".join(word[0] for word in words).upper() if len(words) > 1 else name[:2].upper()
