"""A case with real evidence, handed over."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from pipeline.casefile import assemble, read_case
from pipeline.review import Action, Decision, ReviewPolicy
from pipeline.signing import Signer, TrustedKeys
from pipeline.store import Repository
from tests.api.site import encode, film
from tests.store.makers import NOON


@dataclass(frozen=True)
class Handed:
    """A case as a ZIP file, and all that it was made of."""

    case: UUID
    zip: Path
    package: Path
    signer: Signer
    repository: Repository

    @property
    def trusted(self) -> TrustedKeys:
        return TrustedKeys([self.signer.public])

    def assembled(self) -> bytes:
        state = read_case(self.repository, self.case)
        assert state is not None
        made = assemble(state, self.package, self.signer, site="Huế")
        data = b"".join(made.chunks())
        assert len(data) == made.size
        return data


def hand_over(folder: Path) -> Handed:
    signer = Signer.open(folder / "keys")
    repository = Repository.open(f"sqlite:///{folder / 'matthan.db'}", signer)
    repository.record_camera("gate-1", "Cổng Ngọ Môn", 16.4677, 107.5792)
    found = film(repository, folder / "evidence", encode(folder / "clip.mp4"), 0, signer)
    decision = Decision(Action.ACCEPT, "lan", plate="75A-100.45", note="<b>rõ</b>")
    repository.decide_review(found.id, decision, ReviewPolicy(), version=0, now=NOON)
    evidence = repository.evidence(found.id)
    assert evidence is not None
    made = Handed(found.id, folder / f"{found.id}.zip", folder / "evidence" / evidence.folder, signer, repository)
    made.zip.write_bytes(made.assembled())
    return made
