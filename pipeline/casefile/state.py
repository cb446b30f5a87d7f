"""Everything that the database knows of one case, as it stood at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from pipeline.errors import ConflictError
from pipeline.store import Repository
from pipeline.store.chain_records import ChainRecord
from pipeline.store.records import CameraStatus, ConfigurationText, PlateRecord, Run, ViolationRecord
from pipeline.store.review_records import ReviewRecord, ReviewStep

TRIES = 5


@dataclass(frozen=True, slots=True)
class CaseState:
    """`configuration` is the version of the settings that was in force, and `run` the pass of the program that found
    the case; each None where it is not known. `chain` are the entries about the case, oldest first."""

    violation: ViolationRecord
    plate: PlateRecord | None
    review: ReviewRecord
    history: tuple[ReviewStep, ...]
    camera: CameraStatus | None
    run: Run | None
    configuration: ConfigurationText | None
    chain: tuple[ChainRecord, ...]


def read_case(repository: Repository, violation: UUID) -> CaseState | None:
    """The case; None when there is no such violation.

    Raises:
        ConflictError: it is being changed again and again; ask once more.
    """
    for _ in range(TRIES):
        chain = repository.case_chain(violation)
        found = repository.violation(violation)
        review = repository.review(violation)
        if found is None or review is None:
            return None
        run = repository.run(found.run) if found.run else None
        case = CaseState(
            violation=found,
            plate=repository.plate_read(found.plate_read) if found.plate_read else None,
            review=review,
            history=repository.review_history(violation),
            camera=repository.camera(found.camera),
            run=run,
            configuration=repository.configuration(run.configuration) if run and run.configuration else None,
            chain=chain,
        )
        if repository.case_chain(violation) == chain:
            return case
    raise ConflictError(f"the case {violation} is being changed; try again in a moment")
