"""Runs a soak: sets the stage, injects the planned faults, stops the program, and gathers what is to be judged."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.soak.faults import Injection, Planned, plan
from pipeline.soak.judgement import Observed, Verdict, judge, package_faults, stored_violations
from pipeline.soak.memory import MemoryWatch
from pipeline.soak.scenes import shown
from pipeline.soak.stage import Stage, set_up
from pipeline.store import Repository

PROGRAM_CHECK = 1.0


@dataclass(frozen=True, slots=True)
class Soak:
    """What to run, for how long and how hard. Everything is written below `folder`; `say` tells a person."""

    folder: Path
    minutes: float
    cameras: int
    chaos: bool
    seed: int
    database: str
    say: Callable[[str], None]
    stop: threading.Event

    def run(self) -> tuple[list[Verdict], Observed]:
        """Raises MatThanError when the stage cannot be set."""
        with set_up(self.folder, self.cameras, self.database, self.minutes) as stage:
            self.say(f"{len(stage.seats)} cameras on {len(stage.servers)} servers; {self.database}; seed {self.seed}")
            if stage.disk is None:
                self.say("no file system can be mounted here, so that no full disk is tried")
            stage.program.start()
            began = time.time()
            with MemoryWatch(lambda: stage.program.current, stage.program.video) as memory:
                injections = self._play(stage, plan(self.minutes * 60, self.seed) if self.chaos else [], began)
                ended = time.time()
                seconds, status = stage.program.stop()
            self.say(f"stopped in {seconds:.1f} s; judging")
            found = self._gather(stage, injections, began, ended)
            found.memory, found.stop_seconds, found.stop_status = memory.samples, seconds, status
            return judge(found), found

    def _play(self, stage: Stage, planned: Sequence[Planned], began: float) -> list[Injection]:
        chance = random.Random(self.seed)  # noqa: S311 - no secret
        injections: list[Injection] = []
        for one in planned:
            if not self._wait(stage, began + one.at):
                break
            begin = time.time()
            with one.fault.inject(stage, chance) as effect:
                if effect is None:
                    self.say(f"{_clock(begin - began)} {one.fault.name}: cannot be done here")
                    continue
                self.say(f"{_clock(begin - began)} {one.fault.name}: {effect.what}, {one.seconds:.0f} s")
                self.stop.wait(one.seconds)
            injections.append(Injection(one.fault.name, effect, begin, time.time()))
        self._wait(stage, began + self.minutes * 60)
        return injections

    def _wait(self, stage: Stage, until: float) -> bool:
        """Wait, and look after the program meanwhile; False when a person wants an end."""
        while (left := until - time.time()) > 0 and not self.stop.wait(min(left, PROGRAM_CHECK)):
            if stage.program.revive():
                self.say("the program ended by itself and was started again")
        return not self.stop.is_set()

    def _gather(self, stage: Stage, injections: list[Injection], began: float, ended: float) -> Observed:
        plays = {
            seat.camera: sorted(play.time for play in stage.servers[seat.server].plays if play.mount == seat.mount)
            for seat in stage.seats
        }
        with Repository.open(stage.database.url) as repository:
            stored = stored_violations(repository)
            packages = package_faults(repository, stored, stage.evidence)
        return Observed(
            shown=list(shown(stage.seats, stage.epoch, began - 60, ended + 60)),
            stored=stored,
            injections=injections,
            plays=plays,
            memory=[],
            ended=ended,
            starts=stage.program.starts,
            ended_alone=stage.program.ended_alone,
            stop_seconds=0.0,
            stop_status=None,
            left_behind=len(stage.program.left_behind()),
            packages=packages,
        )


def _clock(seconds: float) -> str:
    return f"{int(seconds // 60):02}:{int(seconds % 60):02}"
