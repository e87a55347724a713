"""Commands that can be checked to the last event.

A command imports one account with a number of employees that is unique in the run. Every event that tells of an
account carries that number, so each event names the command that caused it. Clients repeat what has no answer
under the same idempotency key, and a fifth of what was answered too.
"""

import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from tests.faults.checks import Read, Span
from tests.faults.client import Client, Reply
from tests.faults.history import History

KEYS = 300
COUNTIES = ("01001", "01003", "01005", "01007", "01009", "01011", "01013", "01015")
_SKEW = 1.1
_PATIENCE = 180.0
_PAUSE = 0.2


@dataclass(slots=True)
class Command:
    """One import, from its first request to its answer."""

    number: int
    key: str
    invoked: float
    acknowledged: float | None = None
    failed: bool = False
    answer: bytes = b""

    @property
    def span(self) -> Span:
        """Return when it may have taken effect."""
        return Span(self.key, self.invoked, self.acknowledged)


@dataclass(slots=True)
class Tally:
    """What the clients counted."""

    requests: int = 0
    unknown: int = 0
    replayed: int = 0
    unlike: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    unfit: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


class Load:
    """Workers that keep a rate until told to finish."""

    def __init__(
        self, urls: Callable[[], Sequence[str]], token: str, *, rate: float, seed: int, workers: int = 12
    ) -> None:
        self.history = History()
        self.tally = Tally()
        self.commands: dict[int, Command] = {}
        self.reads: list[Read] = []
        # Imports and reads that were begun, without what was sent again.
        self.turns = 0
        self.hang_up_share = 0.0
        self._urls = urls
        self._token = token
        self._pause = 1 / rate
        self._seed = seed
        self._numbers = itertools.count(1)
        self._due = time.monotonic()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self.failures: list[Exception] = []
        self._threads = [
            threading.Thread(target=self._work, args=(number,), name=f"client-{number}", daemon=True)
            for number in range(workers)
        ]

    def start(self) -> None:
        """Begin."""
        self._due = time.monotonic()
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        """Send nothing new, and return when everything is answered or given up. What ended clients is in `failures`."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    @property
    def acknowledged(self) -> list[int]:
        """Return the commands whose success a client was told."""
        return [c.number for c in list(self.commands.values()) if c.acknowledged is not None]

    @property
    def failed(self) -> set[int]:
        """Return the commands that were refused for good."""
        return {c.number for c in self.commands.values() if c.failed}

    @property
    def unresolved(self) -> list[int]:
        """Return the commands that were given up without an answer."""
        return [c.number for c in self.commands.values() if c.acknowledged is None and not c.failed]

    def _work(self, process: int) -> None:
        rng = Random(f"{self._seed}/{process}")
        client = Client(self._token)
        try:
            while self._wait_for_turn():
                with self._lock:
                    self.turns += 1
                if rng.random() < 0.1:
                    self._read(process, client, rng)
                else:
                    self._command(process, client, rng)
        except Exception as failure:  # noqa: BLE001 - a thread has nobody to tell
            self.failures.append(failure)
        finally:
            client.close()

    def _wait_for_turn(self) -> bool:
        with self._lock:
            # What could not be sent while nobody answered is not made up for.
            self._due = max(self._due + self._pause, time.monotonic() - 0.5)
            due = self._due
        return not self._stopping.wait(max(0.0, due - time.monotonic()))

    def _command(self, process: int, client: Client, rng: Random) -> None:
        with self._lock:
            number = next(self._numbers)
        key = f"K-{zipf(rng, KEYS)}"
        row = {"external_id": key, "name": key, "county": rng.choice(COUNTIES), "employees": number}
        body = (json.dumps(row) + "\n").encode()
        command = Command(number, key, self.history.add(process, "invoke", "import", key, number))
        self.commands[number] = command
        reply = self._until_answered(process, client, rng, command, body)
        if reply is not None and reply.outcome == "ok" and rng.random() < 0.2:
            self._again(process, client, command, body)

    def _until_answered(
        self, process: int, client: Client, rng: Random, command: Command, body: bytes
    ) -> Reply | None:
        deadline = time.monotonic() + _PATIENCE
        for attempt in itertools.count(process):
            hang_up = rng.random() < self.hang_up_share
            reply = self._post(client, attempt, command, body, hang_up=hang_up)
            if reply.outcome in {"ok", "refused"}:
                self._settle(process, command, reply)
                return reply
            if reply.outcome == "unknown":
                self.history.add(process, "info", "import", command.key, command.number, note=reply.note)
            if time.monotonic() > deadline:
                return None
            if not hang_up:
                time.sleep(_PAUSE)
        raise AssertionError("unreachable")

    def _settle(self, process: int, command: Command, reply: Reply) -> None:
        type_: str = "ok" if reply.outcome == "ok" else "fail"
        at = self.history.add(
            process,
            type_,
            "import",
            command.key,
            command.number,
            note=reply.note,  # type: ignore[arg-type]
        )
        command.answer = reply.body
        if type_ == "ok":
            command.acknowledged = at
        else:
            command.failed = True

    def _again(self, process: int, client: Client, command: Command, body: bytes) -> None:
        """Send what was answered once more: the answer has to be the same."""
        self.history.add(process, "invoke", "again", command.key, command.number)
        reply = self._post(client, process + command.number, command, body)
        type_ = "ok" if reply.outcome == "ok" else "info"
        self.history.add(process, type_, "again", command.key, command.number, note=reply.note)  # type: ignore[arg-type]
        same = reply.body == command.answer and reply.replayed
        if (reply.outcome == "refused" and reply.status != 401) or (reply.outcome == "ok" and not same):
            with self._lock:
                self.tally.unlike.append(f"command {command.number}: {reply.body[:200]!r}")

    def _post(
        self, client: Client, attempt: int, command: Command, body: bytes, *, hang_up: bool = False
    ) -> Reply:
        urls = self._urls()
        headers = {
            "Content-Type": "application/x-ndjson",
            "Idempotency-Key": name_of(self._seed, command.number),
        }
        began = time.monotonic()
        url = f"{urls[attempt % len(urls)]}/v1/accounts/imports"
        reply = client.send("POST", url, body=body, headers=headers, hang_up=hang_up)
        self._count(reply, time.monotonic() - began)
        return reply

    def _read(self, process: int, client: Client, rng: Random) -> None:
        key = f"K-{zipf(rng, KEYS)}"
        urls = self._urls()
        invoked = self.history.add(process, "invoke", "read", key, 0)
        began = time.monotonic()
        reply = client.send("GET", f"{urls[process % len(urls)]}/v1/accounts?external_id={key}")
        self._count(reply, time.monotonic() - began)
        if reply.outcome != "ok":
            self.history.add(process, "fail", "read", key, 0, note=reply.note)
            return
        seen = reply.json()["items"][0]["employees"] or 0
        returned = self.history.add(process, "ok", "read", key, seen)
        self.reads.append(Read(key, seen, invoked, returned))

    def _count(self, reply: Reply, seconds: float) -> None:
        with self._lock:
            tally = self.tally
            tally.requests += 1
            tally.unknown += reply.outcome == "unknown"
            tally.replayed += reply.replayed
            tally.statuses[reply.status] += 1
            if reply.outcome == "ok":
                tally.seconds.append(seconds)
            # Only 2xx, 4xx and 503 with Retry-After may ever be seen.
            if reply.status >= 500 and reply.note.startswith(str(reply.status)):
                tally.unfit.append(f"{reply.note} {reply.body[:200]!r}")


def name_of(seed: int, number: int) -> str:
    """Return the idempotency key of a command."""
    return f"fault-{seed}-{number}"


_WEIGHTS = list(itertools.accumulate(1 / rank**_SKEW for rank in range(1, KEYS + 1)))


def zipf(rng: Random, keys: int) -> int:
    """Return a key's number, 1 to `keys`, the low ones more often: Zipf's law with exponent 1.1."""
    return rng.choices(range(1, keys + 1), cum_weights=_WEIGHTS[:keys])[0]
