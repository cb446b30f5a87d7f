"""Empties the outbox while the program runs: one thread decides who is told, and each target has one that sends."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from pipeline.config import Config, TargetConfig
from pipeline.errors import DeliveryError, StoreError
from pipeline.metrics import Metrics
from pipeline.notify.message import compose
from pipeline.notify.routing import address
from pipeline.notify.sending import Sender, open_sender
from pipeline.store import Repository
from pipeline.store.records import AnnouncementRecord, NotificationRecord

log = structlog.get_logger()

LEASE = timedelta(minutes=2)
"""How long a message may be in a process's hand; after a kill it is sent again when that is over."""
MINUTE = timedelta(minutes=1)
LONGEST_PAUSE = 60.0
"""Seconds for which a target that takes nothing is left alone at most; not each message need find that out."""
ORPHANED = timedelta(days=31)
"""A message to a target that is not configured here is given up after this. It is longer than the longest
`retry_hours`: another process that shares the outbox may still try to send it."""
CLOSE_SECONDS = 1.0
COUNT_SECONDS = 15.0
"""Between two counts of the outbox for the metrics."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds: between two looks into the outbox, until the second attempt, and between attempts at most."""

    look: float = 1.0
    first: float = 5.0
    longest: float = 3600.0

    def wait(self, attempts: int) -> timedelta:
        """Until the next attempt: doubled each time, shortened at random by up to half."""
        seconds = min(self.longest, self.first * 2 ** min(attempts, 20))
        return timedelta(seconds=seconds * random.uniform(0.5, 1.0))  # noqa: S311 - no secret


class Notifier:
    """Tells what the store announces to the targets of the configuration.

    What was to be sent is in the database, so that a kill costs nothing; what a killed process had in hand is sent
    again, with the same id. Several processes may share an outbox: each message is in the hand of one.
    """

    def __init__(
        self,
        config: Config,
        repository: Repository,
        evidence: Path,
        pace: Pace | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sender: Callable[[TargetConfig], Sender] = open_sender,
        metrics: Metrics | None = None,
    ) -> None:
        self.config = config
        self._repository = repository
        self._evidence = evidence
        self._pace = pace or Pace()
        self._clock = clock
        self._sender = sender
        self._gauge = (metrics or Metrics()).notifications
        self._counted = -COUNT_SECONDS
        self._failures: dict[str, int] = {}
        self._desks: dict[str, _Desk] = {}
        self._stopping = threading.Event()
        self._tidied = datetime.min.replace(tzinfo=UTC)
        self._away = ""
        self._thread = threading.Thread(target=self._work, name="notifier", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def change(self, config: Config) -> None:
        """Go on by this configuration; only targets that differ are connected anew."""
        self.config = config

    def close(self) -> None:
        """Stop within seconds, whatever the targets and the database do; what is not sent waits in the database."""
        deadline = monotonic() + CLOSE_SECONDS
        self._stopping.set()
        for desk in list(self._desks.values()):
            desk.stop()
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS)
        for desk in list(self._desks.values()):
            desk.stop()  # also one that came meanwhile
            desk.join(max(0.0, deadline - monotonic()))

    def _work(self) -> None:
        while not self._stopping.wait(self._pace.look):
            try:
                self._staff()
                self._route()
                for target in self._repository.due_targets(self._clock()):
                    if target in self._desks:
                        self._desks[target].bell.set()
                self._tidy()
                self._count()
                self._away = ""
            except StoreError as error:
                if str(error) != self._away:
                    log.error("notifications wait for the database", error=str(error))
                self._away = str(error)
                self._stopping.wait(self._pace.first)
            except Exception:  # whatever it is, the next look may succeed
                log.exception("notifications")
                self._stopping.wait(self._pace.first)

    def _staff(self) -> None:
        """A desk for each target as it is configured now."""
        wanted = {target.id: target for target in self.config.notifications.targets}
        for name, desk in list(self._desks.items()):
            if wanted.get(name) != desk.target:
                desk.stop()
                del self._desks[name]
        for name, target in wanted.items():
            if name not in self._desks:
                self._desks[name] = _Desk(target, self._sender(target), self._send_due)

    def _route(self) -> None:
        """Decide who is told of what has been announced."""
        config = self.config
        zone = ZoneInfo(config.site.timezone)
        for about in self._repository.unrouted([camera.id for camera in config.cameras]):
            rule, confidence = self._origin(about)
            now = self._clock()
            chosen = address(about, rule, confidence, config.notifications, now, zone)
            self._repository.route(about, chosen, now)

    def _origin(self, about: AnnouncementRecord) -> tuple[str, float]:
        """Rule and confidence of the violation that an announcement tells of."""
        if about.event not in ("violation_began", "violation_ended"):
            return "", 1.0
        violation = self._repository.violation(UUID(about.subject))
        return (violation.rule, violation.confidence) if violation else ("", 0.0)

    def _tidy(self) -> None:
        now = self._clock()
        if now - self._tidied < timedelta(hours=1):
            return
        self._tidied = now
        targets = [target.id for target in self.config.notifications.targets]
        if lost := self._repository.give_up(targets, now - ORPHANED, "the target is not configured any more", now):
            log.error("notifications given up: their target is not configured any more", messages=lost)

    def _count(self) -> None:
        if monotonic() - self._counted < COUNT_SECONDS:
            return
        self._counted = monotonic()
        self._gauge.clear()
        for (target, state), number in self._repository.notification_counts().items():
            self._gauge.labels(target, state).set(number)

    def _send_due(self, target: TargetConfig, sender: Sender, stopping: threading.Event) -> None:
        """Send what is due for the target, one after the other. Raises StoreError."""
        while not stopping.is_set():
            now = self._clock()
            self._repository.summarise(target.id, now)
            claimed = self._repository.claim(target.id, now, now + LEASE)
            if claimed is None:
                return
            if not claimed.urgent and self._too_many(target, now):
                self._repository.hold(claimed.id, now + MINUTE, now)
            elif self._send(claimed, target, sender):
                self._well(target)
            else:
                failures = self._failures[target.id] = self._failures.get(target.id, 0) + 1
                stopping.wait(min(LONGEST_PAUSE, self._pace.wait(failures - 1).total_seconds()))

    def _too_many(self, target: TargetConfig, now: datetime) -> bool:
        return self._repository.sent_since(target.id, now - MINUTE, now) >= target.per_minute

    def _well(self, target: TargetConfig) -> None:
        if self._failures.pop(target.id, 0):
            log.info("the target takes notifications again", target=target.id)

    def _send(self, claimed: NotificationRecord, target: TargetConfig, sender: Sender) -> bool:
        """Whether the target is well, as far as this message shows."""
        message = compose(claimed, target, self.config, self._repository, self._evidence)
        if message is None:
            self._repository.not_sent(claimed.id, "what it tells of was deleted", self._clock(), None)
            return True
        try:
            sender.send(message)
        except DeliveryError as error:
            self._not_sent(claimed, target, str(error))
        except Exception as error:  # a library's own fault; its text may quote the address
            self._not_sent(claimed, target, f"failed: {type(error).__name__}")
        else:
            self._repository.sent(claimed.id, self._clock())
            return True
        return False

    def _not_sent(self, claimed: NotificationRecord, target: TargetConfig, error: str) -> None:
        now = self._clock()
        again = now + self._pace.wait(claimed.attempts)
        last = claimed.created + timedelta(hours=target.retry_hours)
        given_up = again > last
        self._repository.not_sent(claimed.id, error, now, None if given_up else again)
        if given_up:
            log.error("notification given up; `matthan notify retry` sends it again", target=target.id, error=error)
        elif not self._failures.get(target.id):  # one line for an outage, not one for each attempt
            log.warning("notifications are not taken; they are tried again", target=target.id, error=error)


class _Desk:
    """One target and the thread that sends to it, however slow it is."""

    def __init__(
        self, target: TargetConfig, sender: Sender, work: Callable[[TargetConfig, Sender, threading.Event], None]
    ) -> None:
        self.target = target
        self.bell = threading.Event()
        self._sender = sender
        self._send_due = work
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"notify-{target.id}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self.bell.set()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def _work(self) -> None:
        while not self._stopping.is_set():
            self.bell.wait()
            self.bell.clear()
            try:
                self._send_due(self.target, self._sender, self._stopping)
            except StoreError as error:
                log.warning("notifications wait for the database", target=self.target.id, error=str(error))
            except Exception:  # the next ring may succeed
                log.exception("notifications", target=self.target.id)
        self._sender.close()
