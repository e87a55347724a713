"""A model of a relay: a session with leases, and fetch, send, acknowledgement, delete as steps of their own."""

from collections import Counter

from shared.messaging.leases import BUCKETS, buckets_to_try, fair_share
from tests.simulation.event_log import EventLog, Sending
from tests.simulation.safeguards import Safeguards
from tests.simulation.telling import Told
from tests.simulation.writing import ProducingDatabase

ROWS_PER_BUCKET = 3


class Relay:
    """Stands for relay.Lane with its session and its producer."""

    def __init__(self, database: ProducingDatabase, log: EventLog, safeguards: Safeguards) -> None:
        self._database = database
        self._log = log
        self._safeguards = safeguards
        self.session: int | None = None
        self._owned: list[int] = []
        self._sending: Sending | None = None
        self.paused = False
        # How often an event may be in the log a second time: its relay ended before it deleted the row.
        self.interrupted: Counter[str] = Counter()

    def step(self) -> None:
        """Do the next thing. Stands for one turn of Lane._send_until."""
        if self.paused:
            return
        if self.session is None:
            self.session = self._database.connect()
            self.balance()
        elif self._lost_its_session():
            self._give_up()
        elif self._sending is None:
            self._fetch_and_send()
        elif self._sending.answered:
            self._meet(self._sending)

    def balance(self) -> None:
        """Stand for Leases.balance, whose arithmetic it is; between batches only."""
        session, leases = self.session, self._database.leases
        if (
            self.paused
            or session is None
            or self._sending is not None
            or session not in self._database.present
        ):
            return
        if not self._safeguards.lease_to_send:
            self._owned = list(range(BUCKETS))
            return
        share = fair_share(len(self._database.present))
        while len(self._owned) > share:
            # SELECT pg_advisory_unlock(hashtext($1), $2)
            del leases[self._owned.pop()]
        for bucket in buckets_to_try(session, self._owned) if len(self._owned) < share else ():
            if len(self._owned) >= share:
                return
            # SELECT pg_try_advisory_lock(hashtext($1), $2)
            if leases.setdefault(bucket, session) == session:
                self._owned.append(bucket)

    def crash(self, *, noticed: bool) -> None:
        """Die at once. Whether Postgres notices depends on whether anybody closes the connection."""
        session = self.session
        self.end_session()
        if noticed and session is not None:
            self._database.end_session(session)
        self.paused = False

    @property
    def sending(self) -> Sending | None:
        """Return what is on its way that it will delete."""
        return self._sending

    def holds(self, session: int) -> bool:
        """Tell whether a session is kept alive by this relay's heartbeats."""
        return self.session == session and not self.paused

    def end_session(self) -> None:
        """Have nothing more to do with the session; what was handed over is still on its way."""
        if self._sending is not None:
            self.interrupted.update(told.event_id for _, told in self._sending.rows)
        self.session, self._owned, self._sending = None, [], None

    def _lost_its_session(self) -> bool:
        if self.session in self._database.present:
            return False
        # Without the safeguard, a relay whose batch was acknowledged deletes on some other session.
        done = self._sending is not None and self._sending.answered
        return self._safeguards.lease_to_delete or not done

    def _give_up(self) -> None:
        safeguards = self._safeguards
        if (
            self._sending is not None
            and not safeguards.leaves_unacknowledged
            and not safeguards.lease_to_delete
        ):
            # With the safeguard, a DELETE on the session that ended is refused: it is left out here.
            self._database.delete(list(self._sending.rows))
        self.end_session()

    def _fetch_and_send(self) -> None:
        rows = self._database.fetch(self._owned, ROWS_PER_BUCKET)
        if not rows:
            return
        self._sending = Sending(rows)
        self._log.sendings.append(self._sending)
        if not self._safeguards.delete_after_ack:
            self._database.delete(rows)

    def _meet(self, sending: Sending) -> None:
        """Delete what was acknowledged; a refused batch ends the session (relay.Lane._meet_failure)."""
        acknowledged: list[tuple[int, Told]] = sending.delivery.acknowledged(sending.rows)
        self._database.delete(acknowledged)
        if self.session not in self._database.present:
            self.end_session()
            return
        self._sending = None
        self.interrupted.update(sending.rows[at][1].event_id for at in sending.delivery.failed)
        if sending.delivery.spent and self.session is not None:
            self._database.end_session(self.session)
            self.end_session()
