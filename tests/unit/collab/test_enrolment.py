"""Enrolments: completed by passes and waivers, opened again by what is voided."""

from datetime import date, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.collab.training.enrolments.enrolment import Enrolment, EnrolmentState, Satisfied

DAY = date(2026, 3, 1)
COURSES = frozenset({"a", "b", "c"})

items = st.builds(
    Satisfied,
    st.sampled_from(sorted(COURSES)),
    st.integers(0, 30).map(lambda days: DAY + timedelta(days=days)),
    st.one_of(st.none(), st.integers(1, 8).map(lambda number: UUID(int=number))),
)
steps = st.lists(st.one_of(items, st.integers(1, 8).map(lambda number: UUID(int=number))), max_size=15)


def _passed(course: str, days: int, number: int) -> Satisfied:
    return Satisfied(course, DAY + timedelta(days=days), UUID(int=number))


@given(steps)
def test_an_enrolment_is_completed_exactly_while_every_course_is_satisfied(done: list):
    enrolment = Enrolment(COURSES)
    for step in done:
        before = enrolment
        enrolment = enrolment.satisfy(step) if isinstance(step, Satisfied) else enrolment.void(step)
        complete = not enrolment.open_courses
        assert (enrolment.state is EnrolmentState.COMPLETED) == complete
        if before.completed_on and enrolment.completed_on:
            assert enrolment.completed_on >= before.completed_on, "no later word makes it earlier"
        if isinstance(step, Satisfied) and before.completed_on:
            assert enrolment.completed_on == before.completed_on
        for course in COURSES if enrolment.completed_on else ():
            days = [item.on for item in enrolment.satisfied if item.course_code == course]
            assert min(days) <= enrolment.completed_on


def test_the_last_course_sets_the_day():
    enrolment = Enrolment(COURSES).satisfy(_passed("a", 5, 1)).satisfy(Satisfied("b", DAY))
    assert enrolment.open_courses == {"c"}
    assert enrolment.satisfy(_passed("c", 2, 3)).completed_on == DAY + timedelta(days=5)


def test_a_void_pass_leaves_the_completion_to_an_older_one_or_moves_it_to_a_later_one():
    enrolment = Enrolment(frozenset({"a"})).satisfy(_passed("a", 5, 1))
    assert enrolment.satisfy(_passed("a", 2, 2)).void(UUID(int=1)).completed_on == DAY + timedelta(days=5)
    assert enrolment.satisfy(_passed("a", 9, 2)).void(UUID(int=1)).completed_on == DAY + timedelta(days=9)
    assert enrolment.void(UUID(int=1)).completed_on is None


def test_what_is_no_longer_completed_opens_unless_another_took_its_place():
    for enrolled_again, state in ((False, EnrolmentState.OPEN), (True, EnrolmentState.SUPERSEDED)):
        enrolment = Enrolment(frozenset({"a"}), enrolled_again=enrolled_again).satisfy(_passed("a", 5, 1))
        assert enrolment.state is EnrolmentState.COMPLETED
        assert enrolment.void(UUID(int=1)).state is state
