"""The cost of the chain and its seals to each write, in processor time: `python -m benchmarks.chain [URL]`."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from statistics import median
from unittest.mock import patch

from pipeline.review import Action, Decision, ReviewPolicy
from pipeline.signing import Signer
from pipeline.store import Repository, chaining
from pipeline.store.account_records import AuditEntry
from pipeline.store.seals import made_seal
from pipeline.types import Findings
from tests.store.makers import NOON, plate, seconds, violation

ROUNDS = 60
SEALS = 1000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = sys.argv[1] if len(sys.argv) > 1 else f"sqlite:///{folder}/matthan.db"
        signer = Signer.open(Path(folder, "keys"))
        with Repository.open(url, signer) as repository:
            measure(repository, signer)
        with Repository.open(f"sqlite:///{folder}/checked.db", signer) as repository:
            measure_check(repository, signer)


def measure(repository: Repository, signer: Signer) -> None:
    print(f"{'write':<28}{'without ms':>12}{'with ms':>10}{'added ms':>10}")
    for name, write in writes(repository).items():
        spent: dict[bool, list[float]] = {True: [], False: []}
        for number in range(2 * ROUNDS):
            linked = bool(number % 2)
            with nullcontext() if linked else unlinked():
                begun = time.process_time()
                write(number)
                spent[linked].append(1000 * (time.process_time() - begun))
        without, added = median(spent[False]), median(spent[True]) - median(spent[False])
        print(f"{name:<28}{without:>12.2f}{without + added:>10.2f}{added:>10.2f}")
    begun = time.process_time()
    for number in range(SEALS):
        made_seal(signer, number, number, "0" * 64)
    print(f"a seal, one for each transaction: {1e6 * (time.process_time() - begun) / SEALS:.0f} µs")


def measure_check(repository: Repository, signer: Signer) -> None:
    """Of a database all of whose writes went on the chain."""
    for write in writes(repository).values():
        for number in range(2 * ROUNDS):
            write(number)
    entries = repository.chain_head().number
    for name, trusted in (("without", None), ("with", signer.trusted)):
        begun = time.process_time()
        assert not list(repository.check_chain(trusted=trusted))  # noqa: S101
        print(f"checking {entries} entries {name} seals: {1e6 * (time.process_time() - begun) / entries:.0f} µs each")


def writes(repository: Repository) -> dict[str, Callable[[int], object]]:
    def save(number: int) -> None:
        start = NOON + seconds(number)
        repository.save(Findings((violation(number, start=start, plate=plate(number=number, time=start)),)))

    def decide(number: int) -> None:
        case = violation(number).id
        audit = AuditEntry("lan", "review.accept", "violation", str(case))
        decision = Decision(Action.ACCEPT, "lan", plate="75A-1")
        repository.decide_review(case, decision, ReviewPolicy(), version=0, now=NOON, audit=audit)

    return {
        "a violation with its plate": save,
        "a decision of an officer": decide,
        "an audit row": lambda number: repository.record_audit("lan", "violation.view", "violation", str(number)),
    }


@contextmanager
def unlinked() -> Iterator[None]:
    """Writes go past the chain."""
    with (
        patch("pipeline.store.database.chained", lambda _: nullcontext()),
        patch.object(chaining, "_kind", lambda *_: None),
        patch("pipeline.store.findings._examine_plates", lambda *_: None),
        patch("pipeline.store.findings._chain_plates", lambda *_: None),
    ):
        yield


if __name__ == "__main__":
    main()
