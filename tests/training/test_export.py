"""A training set out of real evidence packages."""

from __future__ import annotations

import hashlib
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import cv2
import pytest

from pipeline.config.retention import RetentionConfig
from pipeline.errors import EvidenceError, QueryError
from pipeline.evidence.archive import EvidenceFiles
from pipeline.review import Action, Decision, RejectionReason, ReviewPolicy
from pipeline.store import Repository, ViolationFilter
from pipeline.training.export import TrainingRequest, TrainingSet, export_training_set
from pipeline.training.splits import Split, SplitBy
from tests.api.site import HEIGHT, HUE, WIDTH, Site, build


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Four cases: a vehicle, a crowd and a fire decided, another vehicle not."""
    folder = tmp_path_factory.mktemp("site")
    made = build(folder, f"sqlite:///{folder / 'matthan.db'}", count=4)
    wrong_way, crowd, fire, _ = made.violations
    with Repository.open(made.settings.database_url.get_secret_value()) as repository:
        for violation, decision in (
            (wrong_way, Decision(Action.ACCEPT, "lan", plate="75A-999.99")),
            (crowd, Decision(Action.ACCEPT, "lan")),
            (fire, Decision(Action.REJECT, "lan", reason=RejectionReason.NO_VIOLATION)),
        ):
            repository.decide_review(violation.id, decision, ReviewPolicy(), version=0, now=datetime.now(UTC))
    return made


def export(site: Site, target: Path, request: TrainingRequest) -> TrainingSet:
    evidence = EvidenceFiles(site.settings.evidence_root)
    kept = {"gate-1": RetentionConfig(violations=30, rejected=10)}
    with Repository.open(site.settings.database_url.get_secret_value()) as repository:
        return export_training_set(repository, evidence, target, request, HUE, kept)


@pytest.fixture(scope="module")
def folder(site: Site, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TrainingSet]:
    target = tmp_path_factory.mktemp("sets") / "set"
    return target, export(site, target, TrainingRequest(by=SplitBy.TIME, plates=True))


def test_it_holds_what_was_decided_and_nothing_else(site: Site, folder: tuple[Path, TrainingSet]) -> None:
    target, made = folder
    assert (made.pictures, made.plates, sum(made.splits.values())) == (3, 1, 3)
    assert not made.left_out
    manifest = json.loads((target / "manifest.json").read_bytes())
    assert {item["case"] for item in manifest["cases"]} == {str(each.id) for each in site.violations[:3]}
    verdicts = {item["kind"]: (item["verdict"], item["negative"]) for item in manifest["cases"]}
    assert verdicts == {
        "wrong_way": ("positive", False),
        "crowd": ("positive", False),
        "fire": ("negative", True),
    }
    limits = {item["kind"]: item["keep_until"] for item in manifest["cases"]}
    assert limits == {"wrong_way": "2026-12-01", "fire": "2026-11-11", "crowd": None}
    assert manifest["retention"]["first_due"] == "2026-11-11"
    assert manifest["pseudonymised"]["plates_in_clear"] is True
    assert [(plate["text"], plate["corrected"]) for plate in manifest["plates"]] == [("75A-999.99", True)]


def test_every_file_is_as_its_manifest_says(folder: tuple[Path, TrainingSet]) -> None:
    target, _ = folder
    manifest = json.loads((target / "manifest.json").read_bytes())
    present = {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()}
    assert present == {*manifest["files"], "manifest.json"}
    for name, sha256 in manifest["files"].items():
        assert hashlib.sha256((target / name).read_bytes()).hexdigest() == sha256


def test_yolo_and_coco_label_the_same_boxes_inside_the_picture(folder: tuple[Path, TrainingSet]) -> None:
    target, _ = folder
    classes = [line.split(": ")[1] for line in (target / "data.yaml").read_text().splitlines() if line[:2] == "  "]
    yolo = {}
    for path in target.glob("labels/*/*.txt"):
        rows = [line.split() for line in path.read_text().splitlines()]
        boxes = [(classes[int(number)], *map(float, values)) for number, *values in rows]
        assert all(x - w / 2 >= 0 and x + w / 2 <= 1 and y - h / 2 >= 0 and y + h / 2 <= 1 for _, x, y, w, h in boxes)
        yolo[path.stem] = [(name, x * WIDTH, y * HEIGHT, w * WIDTH, h * HEIGHT) for name, x, y, w, h in boxes]
    assert sorted(map(len, yolo.values())) == [0, 1, 1], "the fire that was none is an empty file"
    for split in Split:
        coco = json.loads((target / f"annotations/instances_{split}.json").read_bytes())
        names = {each["id"]: each["name"] for each in coco["categories"]}
        for image in coco["images"]:
            picture = cv2.imread(str(target / image["file_name"]))
            assert picture is not None
            assert picture.shape[:2] == (image["height"], image["width"]) == (HEIGHT, WIDTH)
            own = [each for each in coco["annotations"] if each["image_id"] == image["id"]]
            found = [(names[each["category_id"]], *each["bbox"]) for each in own]
            middles = [(name, left + w / 2, top + h / 2, w, h) for name, left, top, w, h in found]
            assert [name for name, *_ in middles] == [name for name, *_ in yolo[image["case"]]]
            for (_, *one), (_, *other) in zip(middles, yolo[image["case"]], strict=True):
                assert one == pytest.approx(other, abs=0.01)


def test_the_same_cases_give_the_same_file(site: Site, tmp_path: Path) -> None:
    request = TrainingRequest(ViolationFilter(kinds=("wrong_way",)))
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        export(site, tmp_path / name / "set.zip", request)
    assert (tmp_path / "one" / "set.zip").read_bytes() == (tmp_path / "two" / "set.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one" / "set.zip") as packed:
        assert not [name for name in packed.namelist() if "plates/" in name], "no plate in clear unless asked for"


def test_nothing_is_no_set_and_no_set_replaces_another(site: Site, tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="ask for more"):
        export(site, tmp_path / "none", TrainingRequest(ViolationFilter(cameras=("gate-9",))))
    assert not list(tmp_path.iterdir())
    with pytest.raises(EvidenceError, match="is there already"):
        export(site, tmp_path, TrainingRequest())
