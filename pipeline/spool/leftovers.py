"""What a killed process left behind of a camera, handed on before the camera is watched again."""

from __future__ import annotations

from pathlib import Path

import structlog

from pipeline.errors import EvidenceError
from pipeline.evidence.preview import mark_for_preview
from pipeline.evidence.recovery import recover, run_of
from pipeline.signing import Signer
from pipeline.spool.outlet import Outlet
from pipeline.spool.records import LeftOpen, Recovered

log = structlog.get_logger()


ENDED = "the process ended while the incident lasted"


def hand_on_leftovers(camera: str, evidence: Path, outlet: Outlet, signer: Signer | None = None) -> None:
    """Close its open packages and its open violations: they stay, with the evidence written by then. `signer` as in
    EvidenceRecorder. The camera's faults are left open: this process may tell of them already.

    Raises:
        StoreError: the outlet is the database itself and does not take it.
    """
    for package in recover(evidence, camera, signer=signer):
        try:
            outlet.append(Recovered(package, run_of(evidence, package.folder)))
        except EvidenceError as error:
            log.error("evidence not recovered", camera=camera, violation=str(package.violation), error=str(error))
        mark_for_preview(evidence, package.folder)
    outlet.append(LeftOpen(camera, ENDED, alerts=False))
