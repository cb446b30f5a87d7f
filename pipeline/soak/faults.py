"""The faults that a soak injects, and when: chosen by a seed, so that a run can be had again."""

from __future__ import annotations

import os
import random
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass

from pipeline.soak.scenes import Seat
from pipeline.soak.stage import Stage

RESTART_SECONDS = 2.0
"""After which a service manager starts a killed program again."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a fault touches. `reconnects`: the readers of these cameras lose their connection, and have to come back
    once it is over; otherwise these cameras only show something else for a while. `silent`: readers may be waiting
    for an answer when it is over."""

    what: str
    blinded: tuple[str, ...] = ()
    reconnects: bool = False
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Injection:
    """A fault as it was injected, in Unix time."""

    fault: str
    effect: Effect
    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault: for how long it lasts, how often it comes among the others, and what does it."""

    name: str
    seconds: tuple[float, float]
    weight: int
    inject: Callable[[Stage, random.Random], AbstractContextManager[Effect | None]]
    early: bool = False
    """Only in the first part of a run, since memory can be judged only while the program lives on."""

    late: bool = False
    """Only after those: a clip that found no room waits in memory for it, and a kill would take it."""


@contextmanager
def server_killed(stage: Stage, chance: random.Random) -> Iterator[Effect]:
    number = chance.randrange(len(stage.servers))
    stage.servers[number].kill()
    yield Effect(f"server {number + 1}", stage.cameras_of(number), reconnects=True)
    stage.servers[number].start()


@contextmanager
def server_hangs(stage: Stage, chance: random.Random) -> Iterator[Effect]:
    number = chance.randrange(len(stage.servers))
    stage.servers[number].pause()
    yield Effect(f"server {number + 1}", stage.cameras_of(number), reconnects=True, silent=True)
    stage.servers[number].resume()


@contextmanager
def server_deaf(stage: Stage, chance: random.Random) -> Iterator[Effect]:
    """In its place something takes connections and never says a word."""
    number = chance.randrange(len(stage.servers))
    server = stage.servers[number]
    server.kill()
    with deaf_listener(server.port):
        yield Effect(f"server {number + 1}", stage.cameras_of(number), reconnects=True, silent=True)
    server.start()


@contextmanager
def reader_killed(stage: Stage, chance: random.Random) -> Iterator[Effect | None]:
    readers = stage.program.readers()
    if not readers:
        yield None
        return
    with suppress(ProcessLookupError):
        os.kill(chance.choice(readers), signal.SIGKILL)
    # which cameras it read is not known from outside, so that none is expected to see
    yield Effect(f"one of {len(readers)} reader processes", stage.cameras)


@contextmanager
def program_killed(stage: Stage, _chance: random.Random) -> Iterator[Effect]:
    stage.program.kill(everything=False)
    yield Effect("the main process", stage.cameras, reconnects=True)
    stage.program.start()


@contextmanager
def everything_killed(stage: Stage, _chance: random.Random) -> Iterator[Effect]:
    stage.program.kill(everything=True)
    yield Effect("main process and readers at once", stage.cameras, reconnects=True)
    stage.program.start()


@contextmanager
def database_away(stage: Stage, _chance: random.Random) -> Iterator[Effect]:
    stage.database.stop()
    yield Effect(stage.database.url.partition(":")[0])
    stage.database.start()


@contextmanager
def disk_full(stage: Stage, _chance: random.Random) -> Iterator[Effect | None]:
    if stage.disk is None:
        yield None
        return
    ballast = stage.disk / ".ballast"
    with ballast.open("wb") as file:
        with suppress(OSError):
            while True:  # until nothing more fits, and with what the program frees meanwhile none the less
                os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), 1 << 20)
        yield Effect("the evidence disk")
    ballast.unlink()


@contextmanager
def size_changes(stage: Stage, chance: random.Random) -> Iterator[Effect | None]:
    if (seat := _seat(stage, chance)) is None:
        yield None
        return
    stage.servers[seat.server].switch(seat.mount, 1)
    yield Effect(f"{seat.camera}, 1280×720 to 640×360 and back", (seat.camera,))
    stage.servers[seat.server].switch(seat.mount, 0)


@contextmanager
def picture_freezes(stage: Stage, chance: random.Random) -> Iterator[Effect | None]:
    if (seat := _seat(stage, chance)) is None:
        yield None
        return
    stage.servers[seat.server].freeze(seat.mount, on=True)
    yield Effect(seat.camera, (seat.camera,))
    stage.servers[seat.server].freeze(seat.mount, on=False)


@contextmanager
def pictures_garbled(stage: Stage, chance: random.Random) -> Iterator[Effect | None]:
    if (seat := _seat(stage, chance)) is None:
        yield None
        return
    stage.servers[seat.server].garble(seat.mount, on=True)
    yield Effect(seat.camera, (seat.camera,))
    stage.servers[seat.server].garble(seat.mount, on=False)


FAULTS = (
    Fault("server killed", (5, 15), 3, server_killed),
    Fault("server hangs", (15, 25), 2, server_hangs),
    Fault("server takes and never answers", (12, 20), 2, server_deaf),
    Fault("reader process killed", (1, 1), 3, reader_killed),
    Fault("program killed", (RESTART_SECONDS, RESTART_SECONDS), 1, program_killed, early=True),
    Fault("everything killed", (RESTART_SECONDS, RESTART_SECONDS), 1, everything_killed, early=True),
    Fault("database away", (60, 60), 1, database_away),
    Fault("disk full", (20, 30), 1, disk_full, late=True),
    Fault("picture size changes", (15, 25), 2, size_changes),
    Fault("picture freezes", (30, 40), 1, picture_freezes),
    Fault("pictures garbled", (10, 15), 2, pictures_garbled),
)
PAUSE = (12.0, 20.0)
FIRST = 30.0
"""Seconds in which nothing is done, so that every camera has been seen to work."""

LAST = 45.0
EARLY = 0.35
"""The part of a run after which the program is killed no more."""


@dataclass(frozen=True, slots=True)
class Planned:
    fault: Fault
    at: float
    seconds: float


def plan(seconds: float, seed: int) -> list[Planned]:
    """Faults one after the other over a run of so many seconds: each kind once as far as there is time, then more of
    them by weight."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    # the ones that are bound to the beginning come first, the others in any order
    bound = [fault for fault in FAULTS if fault.early]
    free = [fault for fault in FAULTS if not fault.early]
    for group in (bound, free):
        chance.shuffle(group)
    free.sort(key=lambda fault: fault.late, reverse=True)  # taken from the end
    more = list(free)
    queue = [free.pop()]
    for fault in bound:
        queue += [fault, free.pop()]
    queue += free
    planned: list[Planned] = []
    at = FIRST
    while True:
        fault = queue.pop(0) if queue else chance.choices(more, [fault.weight for fault in more])[0]
        length = chance.uniform(*fault.seconds)
        if at + length > seconds - LAST:
            if not queue:
                return planned
            continue
        if fault.early and at > seconds * EARLY:
            continue
        planned.append(Planned(fault, at, length))
        at += length + chance.uniform(*PAUSE)


@contextmanager
def deaf_listener(port: int) -> Iterator[None]:
    """Take connections on the port and never answer."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        held: list[socket.socket] = []

        def accept() -> None:
            with suppress(OSError):
                while True:
                    held.append(listener.accept()[0])

        threading.Thread(target=accept, name="deaf", daemon=True).start()
        yield
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        for connection in held:
            connection.close()


def _seat(stage: Stage, chance: random.Random) -> Seat | None:
    """A camera whose mount has pictures of another size."""
    seats: Sequence[Seat] = [seat for seat in stage.seats if seat.sample != "street"]
    return chance.choice(seats) if seats else None
