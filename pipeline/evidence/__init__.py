"""Evidence of violations: packets kept in memory, packages written beside the database, and their verification.

The verifier reads packages with nothing but the standard library, so that whoever receives one can check it;
what writes them is loaded when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from pipeline.evidence.verify import Fault, find_packages, report, verify_package

if TYPE_CHECKING:
    from pipeline.evidence.buffer import PacketBuffer
    from pipeline.evidence.recorder import EvidenceRecorder
    from pipeline.evidence.recovery import clear_unfinished, recover

__all__ = [
    "EvidenceRecorder",
    "Fault",
    "PacketBuffer",
    "clear_unfinished",
    "find_packages",
    "recover",
    "report",
    "verify_package",
]


LOADED_LATE = {
    "EvidenceRecorder": "pipeline.evidence.recorder",
    "PacketBuffer": "pipeline.evidence.buffer",
    "clear_unfinished": "pipeline.evidence.recovery",
    "recover": "pipeline.evidence.recovery",
}


def __getattr__(name: str) -> object:
    if name in LOADED_LATE:
        return getattr(import_module(LOADED_LATE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
