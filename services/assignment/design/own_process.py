"""The engine in a process of its own: it holds up nobody's event loop, gives its memory back, and ends at once if told.

Loading the engine and its compiled kernels takes seconds, the first time on a machine a minute. So a spare process
stands by that has done so, and each run takes one for good.
"""

import asyncio
import time
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from services.assignment.design.answer import Answer
from services.assignment.design.inputs.question import Question
from services.assignment.design.runs.run import Failure, Progress
from shared.runtime.logging import get_logger
from shared.runtime.own_process import SPAWN, end_with_parent

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Failed:
    """Why there is no answer, and what to change; a fault of ours has its trace, for the log."""

    failure: Failure
    detail: str
    trace: str | None = None


def fault_of_ours(error: BaseException) -> str:
    """Return what a caller is told of a fault that nothing in the scenario explains."""
    return f"A fault of the service ({type(error).__name__}): the worker's log has it under this run_id; ask again."


Message = Progress | Answer | Failed


class EngineEnded(RuntimeError):
    """The process ended without an answer: it was killed, for its memory perhaps."""


@dataclass(slots=True)
class Engine:
    """A process that answers one question."""

    process: BaseProcess
    connection: Connection
    seconds_to_load: float

    async def ask(self, question: Question, *, seconds: float) -> None:
        """Hand a question over, to be answered within some seconds. Raises EngineEnded."""
        try:
            await asyncio.to_thread(self.connection.send, (question, seconds))
        except OSError:
            raise EngineEnded from None

    async def hear(self) -> Message:
        """Wait for what it tells next. Raises EngineEnded."""
        try:
            message: Message = await asyncio.to_thread(self.connection.recv)
        except (EOFError, OSError):
            raise EngineEnded from None
        return message

    async def end(self) -> None:
        """End it, whatever it is at."""
        self.process.kill()
        await asyncio.to_thread(self.process.join)


class Engines:
    """Keeps a spare engine loaded. `stopped` ends all that are left."""

    def __init__(self) -> None:
        self._spare: asyncio.Task[Engine] | None = None

    def stand_by(self) -> None:
        """Have a spare made if there is none."""
        if self._spare is None:
            self._spare = asyncio.create_task(_load())

    async def take(self) -> Engine:
        """Return an engine that lives, the spare one first of all; whoever takes it ends it. The next is loaded meanwhile.

        Raises EngineEnded when none can be loaded.
        """
        # A spare is idle and large: what a machine short of memory kills first. Nobody's run is to fail for that.
        engine = await self._next() or await self._next()
        if engine is None:
            raise EngineEnded
        self.stand_by()
        return engine

    async def _next(self) -> Engine | None:
        """Return the spare engine, or one that is loaded now; None if it ended before it was asked anything."""
        self.stand_by()
        spare, self._spare = self._spare, None
        if spare is None:
            return None
        try:
            engine = await asyncio.shield(spare)
        except asyncio.CancelledError:
            # Who wanted it is gone, but it will be good for the next one.
            self._keep(spare)
            raise
        except (EngineEnded, OSError) as error:
            log.warning("engine not loaded", error=type(error).__name__)
            return None
        if engine.process.is_alive():
            return engine
        log.warning("spare engine ended while it waited", exit_code=engine.process.exitcode)
        return None

    def _keep(self, spare: asyncio.Task[Engine] | None) -> None:
        if self._spare is None:
            self._spare = spare

    async def stop(self) -> None:
        """End the spare."""
        spare, self._spare = self._spare, None
        if spare is None:
            return
        spare.cancel()
        try:
            engine = await spare
        except (asyncio.CancelledError, EngineEnded, OSError):
            return
        await engine.end()


async def _load() -> Engine:
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=_serve, args=(theirs,), daemon=True, name="design engine")
    begun = time.monotonic()
    try:
        await asyncio.to_thread(process.start)
        theirs.close()
        engine = Engine(process, ours, 0.0)
        await engine.hear()
    except BaseException:
        if process.pid is not None:
            process.kill()
        raise
    engine.seconds_to_load = time.monotonic() - begun
    log.info("engine loaded", seconds=round(engine.seconds_to_load, 1))
    return engine


def _serve(connection: Connection) -> None:
    end_with_parent()
    # Seconds and some hundred megabytes that only this process has a use for.
    from services.assignment.design.designing import design, warm_up  # noqa: PLC0415
    from services.assignment.design.engine.problem import WrongProblemError  # noqa: PLC0415
    from services.assignment.design.engine.proposal import StoppedError  # noqa: PLC0415

    warm_up()
    connection.send(Progress("loaded", 1.0, None))
    question, seconds = connection.recv()
    try:
        connection.send(design(question, seconds=seconds, tell=connection.send))
    except WrongProblemError as error:
        connection.send(Failed(Failure.WRONG_PROBLEM, f"{error.field}: {error}"))
    except StoppedError:
        connection.send(
            Failed(Failure.TIME_BUDGET_SPENT, "time_budget_seconds: no plan was found in time; allow more.")
        )
    except Exception as error:  # noqa: BLE001 - whatever it is, the run has to be told
        connection.send(Failed(Failure.ENGINE_FAILED, fault_of_ours(error), traceback.format_exc()))
