"""Every code that a page may show has words: test_language.py sees that all words are there in both languages."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import get_args

import pytest
import yaml

from api.auth.keys import KeyScope
from api.conditions import RESTS
from api.desk.camera_words import FAULTS, RULES, STATES
from api.desk.words import CODES, FIELDS, KINDS, RELATIONS
from pipeline.detectors.manifest import Manifest
from pipeline.detectors.plates import grammar
from pipeline.detectors.plates.colour import PlateColour
from pipeline.health.camera_health import KINDS as FAULTS_SEEN
from pipeline.paths import DataFolder
from pipeline.review import Action, RejectionReason, State
from pipeline.rules import rule_types
from pipeline.sources.rtsp import Phase
from pipeline.store import Role
from pipeline.store.relations import Relation
from pipeline.store.runs import ENDS
from pipeline.store.uptime import GIVES_PICTURES

PIPELINE = Path(__file__).parents[2] / "pipeline"
NOWHERE = Path("nowhere")
"""A data folder without models of its own."""


def kinds_of_alerts() -> set[str]:
    """Those that a camera's health finds, and those of modules that raise alarms of one kind of their own."""
    found = set(FAULTS_SEEN)
    for path in PIPELINE.rglob("*.py"):
        text = path.read_text()
        for node in ast.parse(text).body if "Alarm(" in text else ():
            named = isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id
            if named == "KIND" and isinstance(node.value, ast.Constant):
                found.add(str(node.value.value))
    return found


def series_of_plates() -> set[str]:
    files = sorted((Path(grammar.__file__).parent / "grammars").glob("*.yaml"))
    kinds = [kind for file in files for kind in yaml.safe_load(file.read_text())["formats"]]
    return {series for kind in kinds if (series := kind.get("series"))}


def classes_of_detectors() -> set[str]:
    return {name for model in Manifest.load(DataFolder(NOWHERE)).models.values() for name in model.classes} - {
        "plate"
    }  # told as plates


def test_the_kinds_of_alerts_are_found() -> None:
    assert {"dead", "moved", "failed", "clock"} <= kinds_of_alerts()


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        (CODES, State),
        (CODES, Action),
        (CODES, RejectionReason),
        (CODES, Role),
        (CODES, KeyScope),
        (CODES, {*PlateColour} - {PlateColour.UNKNOWN}),
        (CODES, {"towards", "away", "left", "right"}),
        (CODES, {"running", *ENDS}),
        (CODES, series_of_plates()),
        (CODES, classes_of_detectors()),
        (RELATIONS, Relation),
        (FIELDS, {"plate", "vehicle", "corrected_start"}),
        (KINDS, rule_types()),
        (RULES, rule_types()),
        (STATES, {*get_args(Phase), *RESTS, *GIVES_PICTURES}),
        (FAULTS, kinds_of_alerts()),
    ],
)
def test_every_code_has_words(words: Mapping[str, str], codes: Iterable[str]) -> None:
    wanted = {str(code) for code in codes}
    assert wanted
    assert wanted - words.keys() == set()
