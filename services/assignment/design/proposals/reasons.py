"""Why accounts are where a proposal has them, in the words that users of maps understand; the engine's own stand in its Reason."""

from services.assignment.design.proposals.queries import ReasonWhy

WHY: dict[ReasonWhy, str] = {
    "fixed": "A pin of the draft holds it there.",
    "stays": "It is there today, and leaving is not worth the cost of a move.",
    "nearest": "No territory that may hold it is nearer.",
    "balance": "A nearer territory is full, or this one would be short of its target.",
    "whole": "A nearer territory could not reach it or would fall apart, or accounts are too large to do better.",
    "hand": "A planner has put it there.",
    "together": "It goes where those go that it is kept together with.",
}
