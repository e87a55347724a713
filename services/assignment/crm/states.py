"""The names of US states and territories, which CRMs write out where no picklist gives their two letters. Pure."""

from collections.abc import Mapping
from types import MappingProxyType

_NAMES = """
AL Alabama;AK Alaska;AZ Arizona;AR Arkansas;CA California;CO Colorado;CT Connecticut;DE Delaware
DC District of Columbia;FL Florida;GA Georgia;HI Hawaii;ID Idaho;IL Illinois;IN Indiana;IA Iowa;KS Kansas
KY Kentucky;LA Louisiana;ME Maine;MD Maryland;MA Massachusetts;MI Michigan;MN Minnesota;MS Mississippi
MO Missouri;MT Montana;NE Nebraska;NV Nevada;NH New Hampshire;NJ New Jersey;NM New Mexico;NY New York
NC North Carolina;ND North Dakota;OH Ohio;OK Oklahoma;OR Oregon;PA Pennsylvania;RI Rhode Island
SC South Carolina;SD South Dakota;TN Tennessee;TX Texas;UT Utah;VT Vermont;VA Virginia;WA Washington
WV West Virginia;WI Wisconsin;WY Wyoming;AS American Samoa;GU Guam;MP Northern Mariana Islands
PR Puerto Rico;VI Virgin Islands
"""
CODES: Mapping[str, str] = MappingProxyType(
    {one[3:].casefold(): one[:2] for line in _NAMES.split("\n") if line for one in line.split(";")}
)


def code_of(state: object) -> object:
    """Return the two letters of a state that is written out, and anything else as it is."""
    return CODES.get(state.strip().casefold(), state) if isinstance(state, str) else state
