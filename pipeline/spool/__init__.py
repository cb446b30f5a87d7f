"""Nothing that was accepted is lost: a journal on disk between the cameras and the database."""

from pipeline.spool.leftovers import ENDED, hand_on_leftovers
from pipeline.spool.opening import open_patiently, open_spool
from pipeline.spool.outlet import Outlet, Straight
from pipeline.spool.records import (
    Alerted,
    CameraKnown,
    ConfigurationRefused,
    ConfigurationTaken,
    Found,
    LeftOpen,
    Packed,
    Record,
    Recovered,
    RunBegun,
    RunEnded,
)
from pipeline.spool.refused import Refused
from pipeline.spool.spool import Spool
from pipeline.spool.waiting import pictures_waiting

__all__ = [
    "ENDED",
    "Alerted",
    "CameraKnown",
    "ConfigurationRefused",
    "ConfigurationTaken",
    "Found",
    "LeftOpen",
    "Outlet",
    "Packed",
    "Record",
    "Recovered",
    "Refused",
    "RunBegun",
    "RunEnded",
    "Spool",
    "Straight",
    "hand_on_leftovers",
    "open_patiently",
    "open_spool",
    "pictures_waiting",
]
