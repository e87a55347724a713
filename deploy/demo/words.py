"""Invented names: nobody and no firm stands behind them."""

from random import Random


def words_of(text: str) -> tuple[str, ...]:
    """Split a text into its words: a list of names reads better without quotes."""
    return tuple(text.split())


_STARTS = words_of(
    "Abber Adlo Ambro Ardu Balvo Barro Belda Brisk Caldo Carvo Cinder Corvi Dalmo Darro Delva Dorun Elbro "
    "Embro Esker Fallo Farro Fendo Ferro Galdo Garro Gilda Harvo Helmo Hollo Ivero Jarvo Kelda Kestro "
    "Lando Larvo Lindo Lorro Malvo Marlo Mendo Merro Nardo Nolvo Orlo Osca Pallo Perro Pindo Quarro Ralvo "
    "Rendo Rosca Salvo Selmo Sorro Tarvo Tendo Torro Ulvo Vando Verro Wendo Yarro Zelmo"
)
_ENDS = words_of(
    "bank bell bright brook burn cliff combe crest croft dale den fell field ford gate glen grove ham "
    "hill holt horn hurst lake land leigh light lock low marsh mere mont more ness park peak point port "
    "ridge rock shaw side stead stone thorpe vale wick wood worth"
)
_KINDS = ("", " Group", " Partners", " Company", " and Sons", " Works")

INDUSTRIES: dict[str, tuple[str, ...]] = {
    "manufacturing": ("Tooling", "Castings", "Fasteners", "Valves", "Machining", "Gearworks"),
    "construction": ("Builders", "Roofing", "Paving", "Concrete", "Framing", "Sitework"),
    "retail": ("Outfitters", "Hardware", "Grocers", "Furnishings", "Footwear", "Pharmacy"),
    "logistics": ("Freight", "Haulage", "Warehousing", "Couriers", "Cold Chain", "Forwarding"),
    "software": ("Software", "Dataworks", "Interactive", "Analytics", "Networks", "Cloudworks"),
    "health": ("Clinics", "Diagnostics", "Dental", "Home Care", "Imaging", "Therapeutics"),
    "finance": ("Insurance", "Leasing", "Credit", "Advisors", "Payments", "Trust"),
    "energy": ("Solar", "Power", "Drilling", "Gridworks", "Fuels", "Turbines"),
    "food": ("Bakery", "Foods", "Dairy", "Produce", "Beverages", "Mills"),
    "education": ("Academy", "Publishing", "Training", "Learning", "Tutoring", "Press"),
}

_GIVEN = words_of(
    "Ada Amir Ana Ben Bo Cora Dara Dev Elio Ema Finn Gia Hana Hugo Ines Ivo Jada Joel Kai Kira Lars Lena "
    "Luis Maya Milo Mina Nadia Niko Nora Omar Otis Pia Rafa Remy Rosa Sami Tara Theo Uma Vera Yara Zane"
)
_FAMILY = words_of(
    "Aldervik Bramhoe Castellune Dornfeld Eskerby Fenwarden Galloway-Oss Hartmoor Ildebrand Jorvasen "
    "Kettlewick Lindqvale Marrowby Novakell Ostrander-Lys Penhalrow Quillmere Ravensholm Sandovale "
    "Thornquist Umberfield Valdemoor Wexcombe Yarborne Zeldovar"
)


def company_name(number: int, industry: str) -> str:
    """Return the name of the n-th company; no two of the first hundred thousand share one."""
    stems = len(_STARTS) * len(_ENDS)
    # A stride without a common factor walks through every stem before one comes back.
    stem, turn = number * 1_237 % stems, number // stems
    words = INDUSTRIES[industry]
    kind = _KINDS[turn // len(words) % len(_KINDS)]
    start, end = _STARTS[stem // len(_ENDS)], _ENDS[stem % len(_ENDS)]
    return f"{start}{end} {words[(stem + turn) % len(words)]}{kind}"


def person_names(rng: Random, count: int) -> list[str]:
    """Return different names of people."""
    names = [f"{given} {family}" for given in _GIVEN for family in _FAMILY]
    return rng.sample(names, count)
