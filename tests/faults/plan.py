"""All faults by their number in the fault plan, and the groups they are run in."""

from collections.abc import Mapping

from tests.faults.fault import Fault
from tests.faults.faults import (
    apis,
    control,
    engines,
    log,
    logic,
    network,
    readers,
    relays,
    replicas,
    restores,
    storage,
)

_MODULES = (control, relays, engines, readers, apis, network, log, logic, storage, replicas, restores)
FAULTS: Mapping[str, Fault] = dict(
    sorted(
        (named for module in _MODULES for named in module.FAULTS.items()),
        key=lambda named: int("".join(filter(str.isdigit, named[0]))),
    )
)
GROUPS: Mapping[str, tuple[str, ...]] = {
    "all": tuple(FAULTS),
    "process": ("F2", "F3", "F4", "F6", "F7", "F10", "F11", "F11b", "F12", "F14", "F15", "F21", "F22"),
    "network": ("F16", "F17", "F18", "F19"),
    "logic": ("F24", "F25", "F26", "F28", "F30", "F31", "F32", "F33", "F34"),
    "storage": ("F8", "F8b", "F23", "F29", "F29b"),
    "facts": (),
    "smoke": ("F1", "F5", "F9", "F13", "F20", "F27"),
}


def chosen(asked: str) -> dict[str, Fault]:
    """Return the faults of a group, or those named with commas between. Raises KeyError for an unknown one."""
    names = GROUPS.get(asked, asked.split(","))
    return {name: FAULTS[name] for name in names}
