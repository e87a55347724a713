"""One error nobody foresaw is the verdict of its fault, and costs no other fault's; what hurt nothing is red."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.demo.failing import DemoFailed
from tests.faults.__main__ import run_one
from tests.faults.fault import Fault
from tests.faults.faults.log import absorbed
from tests.faults.faults.network import some_were_unknown
from tests.faults.faults.relays import left_something, repeats_only
from tests.faults.invariants import Evidence
from tests.faults.mutants import MUTANTS
from tests.faults.report import FaultResult, write
from tests.faults.run import Options, _run, run_fault, spoiled
from tests.faults.shared_engines import SharedEngines
from tests.faults.stage import Engines, Stage

NOTHING = Evidence([], [], [])


@pytest.fixture
def options(tmp_path: Path) -> Options:
    return Options(seed=1, rate=50.0, seconds=0.0, histories=tmp_path / "histories")


def failing(error: Exception) -> Fault:
    def act(_stage: Stage) -> None:
        raise error

    return Fault("something that errs", act)


def test_an_error_in_a_fault_is_its_verdict(stage: Stage, options: Options):
    result = _run("F", failing(RuntimeError("could not be read")), stage, options)
    assert "broke off 1x: RuntimeError: could not be read" in result.verdict
    assert result.broke


def test_what_never_came_is_named_so(stage: Stage, options: Options):
    result = _run("F", failing(DemoFailed("the outbox")), stage, options)
    assert "never came" in result.kinds


def test_a_client_of_the_load_that_ends_is_a_finding(stage: Stage, options: Options):
    # It has no address to ask.
    def act(stage: Stage) -> None:
        stage.wait(lambda: None if stage.load.failures else "all alive", what="a client that ends")

    result = _run("F", Fault("no apis", act), stage, options)
    assert "load" in result.kinds
    assert "ZeroDivisionError" in result.verdict


def test_a_deployment_that_does_not_start_is_a_verdict_whatever_it_fails_with(options: Options):
    result = run_fault("F", Fault("x", lambda _: None), None, options)  # type: ignore[arg-type]
    assert result.kinds == ["did not start"]


def test_a_verdict_outlives_an_error_while_the_deployment_is_taken_down():
    ok = FaultResult("F", "x", 9, 8, 0, 0, 1.0, "ok")
    result = spoiled("F", "x", AssertionError("DROP DATABASE"), ok)
    assert (result.ops, result.acked) == (9, 8)
    assert result.verdict == "did not end 1x: AssertionError: DROP DATABASE"
    red = FaultResult("F", "x", 9, 8, 0, 0, 1.0, "gap in log 1x: k", kinds=["gap in log"])
    assert spoiled("F", "x", OSError("gone"), red).kinds == ["gap in log", "did not end"]


def test_engines_are_shared_until_a_run_breaks_off(options: Options):
    started, ended = [], []

    @contextmanager
    def start() -> Iterator[Engines]:
        started.append(len(started))
        yield Engines(None, None, None, None, "")  # type: ignore[arg-type]
        ended.append(len(ended))

    with SharedEngines(start) as shared:
        with shared.lend() as first, shared.lend() as second:
            assert first is second
        # There is no folder to run in, so this one breaks off.
        result = run_one("F", Fault("x", lambda _: None), shared, options)
        assert result.broke
        assert len(ended) == 1
        run_one("G", Fault("y", lambda _: None), shared, options)
    assert (len(started), len(ended)) == (2, 2)


def test_engines_that_do_not_start_are_the_verdict_of_the_fault_that_asks(options: Options):
    def start() -> SharedEngines:
        raise PermissionError("mount")

    with SharedEngines(start) as shared:  # type: ignore[arg-type]
        result = run_one("F23", Fault("disks", lambda _: None), shared, options)
    assert result.verdict == "did not start 1x: PermissionError: mount"


def test_the_file_holds_what_there_is_so_far(tmp_path: Path):
    file = tmp_path / "new" / "faults.json"
    results = [FaultResult("F0", "x", 9, 8, 0, 0, 1.0, "ok")]
    write(results, file, seed=7)
    write([*results, spoiled("F1", "y", OSError("gone"))], file, seed=7)
    told = json.loads(file.read_text())
    assert [fault["fault"] for fault in told["faults"]] == ["F0", "F1"]


@pytest.mark.parametrize("check", [left_something, repeats_only, absorbed, some_were_unknown])
def test_a_fault_that_hurt_nothing_is_red(stage: Stage, check):
    check(stage, NOTHING)
    assert {finding.kind for finding in stage.findings} == {"hurt nothing"}


def test_rows_left_unsent_by_the_dead_are_enough(stage: Stage):
    stage.hurt = 1
    left_something(stage, NOTHING)
    assert stage.findings == []


def result_of(*kinds: str) -> FaultResult:
    verdict = "; ".join(kinds) or "ok"
    return FaultResult("F", "x", 1, 1, 0, 0, 1.0, verdict, kinds=list(kinds))


@pytest.mark.parametrize("name", MUTANTS)
@pytest.mark.parametrize("kind", ["did not start", "never came", "broke off", "hurt nothing", "load"])
def test_a_mutant_is_not_shown_by_a_run_that_failed(name: str, kind: str):
    assert not MUTANTS[name].is_shown_by(result_of(), result_of(kind))


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_shown_by_its_own_kind_beside_a_green_run_only(name: str):
    mutant = MUTANTS[name]
    assert mutant.is_shown_by(result_of(), result_of("never came", *mutant.shows))
    assert not mutant.is_shown_by(result_of("late"), result_of(*mutant.shows))
    assert not mutant.is_shown_by(result_of(), result_of())
