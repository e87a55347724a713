"""The metrics that are answered. Whoever changes what one means gives it the next version. Pure."""

from services.metrics.definitions.definition import Definition

_FACTS = "facts, as credited in the view, on the UTC day they occurred"


def _count(metric_id: str, title: str, formula: str, figure: str) -> Definition:
    return Definition(metric_id, 1, title, formula, "count", "additive", {figure: 1}, _FACTS)


def _money(metric_id: str, title: str, formula: str, **terms: int) -> Definition:
    return Definition(metric_id, 1, title, formula, "money", "additive", terms, _FACTS)


_ALL = (
    _money("revenue", "Revenue", "sum of the amounts of orders", revenue_minor=1),
    _money("refunds", "Refunds", "sum of the amounts of refunds, on their own days", refunded_minor=1),
    _money("net-revenue", "Net revenue", "revenue - refunds", revenue_minor=1, refunded_minor=-1),
    _money("bookings", "Bookings", "sum of the amounts of deals", dealt_minor=1),
    _money("spend", "Spend", "sum of the amounts of spend", spend_minor=1),
    _count("orders", "Orders", "number of orders", "orders"),
    _count("deals", "Deals", "number of deals", "deals"),
    _count("leads", "Leads", "number of leads", "leads"),
    _count("won", "Won", "number of opportunities whose newest revision is won", "won"),
    _count("lost", "Lost", "number of opportunities whose newest revision is lost", "lost"),
    _count("new-customers", "New customers", "number of accounts whose first order it was", "new_customers"),
    Definition(
        "pipeline",
        1,
        "Pipeline",
        "sum of the amounts of opportunities whose newest revision is open, on its day",
        "money",
        "semi_additive",
        {"open_minor": 1},
        "opportunities that are open now: a period narrows them, it does not go back in time",
    ),
    Definition(
        "cac",
        1,
        "Customer acquisition cost, blended",
        "spend of the period moved back by lag_days / new customers whose first order has the same currency",
        "money_per_customer",
        "ratio_of_sums",
        {"lagged_spend_minor": 1},
        "spend by its own day; new customers by the day of their first order",
        {"new_customers": 1},
        "no-new-customers",
        ("lag_days",),
    ),
    Definition(
        "paid-cac",
        1,
        "Customer acquisition cost, paid",
        "paid spend of the period moved back by lag_days / new customers whose last lead before their first "
        "order was paid for",
        "money_per_customer",
        "ratio_of_sums",
        {"lagged_paid_spend_minor": 1},
        "spend by its own day; new customers by the day of their first order",
        {"paid_new_customers": 1},
        "no-paid-new-customers",
        ("lag_days",),
    ),
    Definition(
        "conversion",
        1,
        "Conversion",
        "leads of the period with a sale less than window_days later / leads of the period",
        "ratio",
        "ratio_of_sums",
        {"converted": 1},
        "a sale is an order or deal above 0; it converts the lead it names, or if it names none the nearest before it; one "
        "that names a lead which is not there, or comes later, converts nobody",
        {"leads": 1},
        "no-leads",
        ("window_days",),
    ),
    Definition(
        "win-rate",
        1,
        "Win rate by count",
        "won / (won + lost)",
        "ratio",
        "ratio_of_sums",
        {"won": 1},
        "opportunities by the day of their newest revision",
        {"won": 1, "lost": 1},
        "no-decided-opportunities",
    ),
    Definition(
        "win-rate-by-value",
        1,
        "Win rate by value",
        "amount won / (amount won + amount lost), in each currency",
        "ratio",
        "ratio_of_sums",
        {"won_minor": 1},
        "opportunities by the day of their newest revision",
        {"won_minor": 1, "lost_minor": 1},
        "no-decided-opportunities",
    ),
    Definition(
        "attainment",
        1,
        "Quota attainment",
        "revenue / quota; the quota of a period is that of the territory's own revenue goals, day by day",
        "ratio",
        "ratio_of_sums",
        {"revenue_minor": 1},
        "goals that are active, achieved or missed, and no stretch; one that is part of another of its territory and "
        "currency counts in that one, and those of territories below do not add up to it; by rep, the days of goals "
        "of territories with none below, each for the rep who covers as primary when it ends",
        {"quota_minor": 1},
        "no-quota",
    ),
)
CATALOGUE = {definition.metric_id: definition for definition in _ALL}
