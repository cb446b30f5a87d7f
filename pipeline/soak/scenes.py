"""What the cameras of a soak see: the samples in a loop, and therefore what happened when, to the second."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipeline.demo import streams_path
from samples import load_truth, sample_paths

RATES = {"street": 5, "square": 1, "fire": 1}
"""Analysed frames a second at most: enough to find every incident of the loops, little enough for 16 cameras on 2
cores."""

DECODED = {"street": "all", "square": "keyframes", "fire": "all"}
"""The samples have a key frame every two seconds, which is enough for a crowd; six of them in a fire leave no room for
one that is missed."""

PRIORITIES = {"street": 9, "square": 5, "fire": 5}
"""A street cannot do with less: wrong-way driving shows in movement alone."""

RULES: dict[str, list[dict[str, Any]]] = {
    "street": [{"kind": "wrong_way"}],
    # the loops are short: a crowd or fire must be over before the next one comes
    "square": [{"kind": "crowd", "zones": ["square"], "people": 10, "seconds": 2, "leave_seconds": 2, "cooldown": 2}],
    "fire": [{"kind": "fire", "zones": ["market"], "leave_seconds": 2, "cooldown": 1}],
}
EVIDENCE = {"before": 2, "after": 1}
OTHER_SIZE = (640, 360)
APART = 1.7
PLACES = ("detectors", "zones", "lanes", "ground")


@dataclass(frozen=True, slots=True)
class Seat:
    """One camera of a soak: which sample it sees, from which server, and by how many seconds later than others: a
    city's crowds do not come together everywhere at once."""

    camera: str
    sample: str
    server: int
    phase: float = 0.0

    @property
    def mount(self) -> str:
        return f"/{self.camera}"


@dataclass(frozen=True, slots=True)
class Shown:
    """An incident that a camera had before it, in Unix time."""

    camera: str
    kind: str
    where: str
    start: float
    end: float


def seats(cameras: int, servers: int) -> tuple[Seat, ...]:
    """One street camera in eight, which costs as much as ten others; squares and fires in turn."""
    samples = ("street" if number % 8 == 0 else "square" if number % 2 else "fire" for number in range(cameras))
    return tuple(
        Seat(f"{sample}-{number + 1:02}", sample, number % servers, number * APART)
        for number, sample in enumerate(samples)
    )


def clip(sample: str) -> Path:
    return sample_paths()[sample][0]


def shown(seats: Sequence[Seat], epoch: float, since: float, until: float) -> Iterator[Shown]:
    """Every incident that lies between `since` and `until` with all its length, when the loops began at `epoch`."""
    truths = {sample: load_truth(path) for sample, (_, path) in sample_paths().items()}
    for seat in seats:
        truth, began = truths[seat.sample], epoch + seat.phase
        length = truth.frames / truth.fps
        for number in range(int((since - began) // length), int((until - began) // length) + 1):
            for incident in truth.violations:
                start, end = (began + number * length + second for second in (incident.start_s, incident.end_s))
                if since <= start and end <= until:
                    yield Shown(seat.camera, incident.kind, incident.where, start, end)


def write_registration(
    path: Path, seats: Sequence[Seat], ports: Sequence[int], database: str, evidence: Path, metrics: int
) -> Path:
    """A streams.yaml with a camera for each seat, with the places of the example's cameras."""
    yaml = YAML(typ="safe")
    example = {camera["id"]: camera for camera in yaml.load(streams_path())["cameras"]}
    cameras = []
    for seat in seats:
        places = {key: value for key, value in example[seat.sample].items() if key in PLACES}
        url = f"rtsp://127.0.0.1:{ports[seat.server]}{seat.mount}"
        source = {"url": url, "decode": DECODED[seat.sample]}
        own = {"id": seat.camera, "source": source, "rate": RATES[seat.sample], "priority": PRIORITIES[seat.sample]}
        cameras.append({**places, **own, "rules": RULES[seat.sample], "evidence": EVIDENCE})
    document = {
        "site": {"name": "soak", "timezone": "Asia/Ho_Chi_Minh"},
        "storage": {"database": database, "evidence": str(evidence)},
        "metrics": {"port": metrics},
        "cameras": cameras,
    }
    yaml.dump(document, path)
    return path
