"""All faults by their number in the fault plan, and the groups they are run in."""

from collections.abc import Mapping

from tests.faults.fault import Fault
from tests.faults.faults import apis, control, engines, log, logic, network, readers, relays

_MODULES = (control, relays, engines, readers, apis, network, log, logic)
FAULTS: Mapping[str, Fault] = dict(
    sorted(
        (named for module in _MODULES for named in module.FAULTS.items()),
        key=lambda named: int("".join(filter(str.isdigit, named[0]))),
    )
)
GROUPS: Mapping[str, tuple[str, ...]] = {
    "all": tuple(FAULTS),
    "facts": (),
    "smoke": ("F1", "F5", "F9", "F13", "F20", "F27"),
}


def chosen(asked: str) -> dict[str, Fault]:
    """Return the faults of a group, or those named with commas between. Raises KeyError for an unknown one."""
    names = GROUPS.get(asked, asked.split(","))
    return {name: FAULTS[name] for name in names}
