"""Evidence files over a real server, and what happens when they are not as recorded."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, update

from api.app import create_app
from pipeline.store import Repository, tables

from .conftest import sign_in
from .site import PASSWORD, Site

Own = tuple[TestClient, Repository, Site]


@pytest.fixture(scope="module")
def viewer(server: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server) as opened:
        assert opened.post("/login", data={"name": "viewer", "password": PASSWORD}).status_code == 303
        yield opened


@pytest.fixture
def clip(site: Site) -> tuple[str, bytes]:
    """The address of a clip and its bytes."""
    violation = site.violations[0]
    (path,) = site.settings.evidence_root.glob(f"*/*/{violation.id}/clip.mp4")
    return f"/api/v1/violations/{violation.id}/evidence/clip.mp4", path.read_bytes()


def test_a_file_comes_whole_with_its_type_and_hash(viewer: httpx.Client, clip: tuple[str, bytes]) -> None:
    address, data = clip
    answer = viewer.get(address)
    assert (answer.status_code, answer.content) == (200, data)
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["etag"] == f'"{hashlib.sha256(data).hexdigest()}"'
    assert answer.headers["content-disposition"] == 'inline; filename="clip.mp4"'
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("wanted", "first", "last"), [("bytes=0-99", 0, 99), ("bytes=100-", 100, None), ("bytes=-50", -50, None)]
)
def test_a_part_of_a_file(
    viewer: httpx.Client, clip: tuple[str, bytes], wanted: str, first: int, last: int | None
) -> None:
    address, data = clip
    answer = viewer.get(address, headers={"Range": wanted})
    start = first % len(data) if first < 0 else first
    end = len(data) - 1 if last is None else last
    assert answer.status_code == 206
    assert answer.headers["content-range"] == f"bytes {start}-{end}/{len(data)}"
    assert answer.content == data[start : end + 1]


def test_a_part_only_if_the_file_is_still_the_same(viewer: httpx.Client, clip: tuple[str, bytes]) -> None:
    address, data = clip
    etag = viewer.get(address).headers["etag"]
    same = viewer.get(address, headers={"Range": "bytes=0-9", "If-Range": etag})
    other = viewer.get(address, headers={"Range": "bytes=0-9", "If-Range": '"another"'})
    assert (same.status_code, same.content) == (206, data[:10])
    assert (other.status_code, other.content) == (200, data)


def test_a_file_that_the_browser_has_is_not_sent_again(viewer: httpx.Client, clip: tuple[str, bytes]) -> None:
    address, _ = clip
    etag = viewer.get(address).headers["etag"]
    answer = viewer.get(address, headers={"If-None-Match": etag})
    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.parametrize(("wanted", "status"), [("bytes=99999999-", 416), ("lines=1-2", 400)])
def test_a_bad_range_is_a_problem(viewer: httpx.Client, clip: tuple[str, bytes], wanted: str, status: int) -> None:
    answer = viewer.get(clip[0], headers={"Range": wanted})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


def test_a_download_is_named_after_its_case(viewer: httpx.Client, clip: tuple[str, bytes], site: Site) -> None:
    answer = viewer.get(clip[0], params={"download": "true"})
    expected = f'attachment; filename="{site.violations[0].id}-clip.mp4"'
    assert answer.headers["content-disposition"] == expected


@pytest.mark.parametrize("name", ["..%2F..%2Fmatthan.db", "%2Fetc%2Fpasswd", "still.jpg%00", "none.jpg", "."])
def test_no_other_file_can_be_had(viewer: httpx.Client, site: Site, name: str) -> None:
    answer = viewer.get(f"/api/v1/violations/{site.violations[0].id}/evidence/{name}")
    assert answer.status_code in {404, 405}


def test_a_recorded_folder_that_leads_out_is_not_followed(own: Own, tmp_path: Path) -> None:
    client, repository, site = own
    violation, headers = site.violations[0].id, sign_in(client, "viewer")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "still.jpg").write_bytes(b"secret")
    (site.settings.evidence_root / "link").symlink_to(outside)
    for folder in ("../outside", str(outside), "link"):
        with repository.writing() as connection:
            connection.execute(update(tables.Evidence).values(folder=folder))
        answer = client.get(f"/api/v1/violations/{violation}/evidence/still.jpg", headers=headers)
        assert answer.status_code == 404
        checked = client.get(f"/api/v1/violations/{violation}/verification", headers=headers).json()
        assert checked == {"intact": False, "faults": [{"file": "", "reason": "the package is missing"}]}


def test_a_changed_file_is_named_and_not_served(own: Own) -> None:
    client, _, site = own
    violation, headers = site.violations[0].id, sign_in(client, "viewer")
    address = f"/api/v1/violations/{violation}"
    assert client.get(f"{address}/verification", headers=headers).json() == {"intact": True, "faults": []}
    (still,) = site.settings.evidence_root.glob(f"*/*/{violation}/still.jpg")
    good = still.read_bytes()
    assert client.get(f"{address}/evidence/still.jpg", headers=headers).content == good
    for changed, reason in ((good[:-1] + b"x", "content differs"), (good + b"x", "size differs")):
        still.write_bytes(changed)
        for asked in ({}, {"Range": "bytes=0-9"}):
            refused = client.get(f"{address}/evidence/still.jpg", headers={**headers, **asked})
            assert refused.status_code == 409
            assert reason in refused.json()["detail"]
    checked = client.get(f"{address}/verification", headers=headers).json()
    assert [fault["file"] for fault in checked["faults"]] == ["still.jpg"]
    still.unlink()
    assert client.get(f"{address}/evidence/still.jpg", headers=headers).status_code == 404


def test_a_package_that_left_this_machine_comes_from_the_archive(own: Own, tmp_path: Path) -> None:
    _, _, site = own
    violation, place = site.violations[0].id, tmp_path / "archive"
    archive = {"archive_url": place.as_uri(), "archive_cache": tmp_path / "cache"}
    (package,) = site.settings.evidence_root.glob(f"*/[0-9]*/{violation}")
    clip = (package / "clip.mp4").read_bytes()
    with TestClient(create_app(site.settings.model_copy(update=archive))) as client:
        headers = sign_in(client, "viewer")
        package.rename(tmp_path / "gone")
        address = f"/api/v1/violations/{violation}"
        assert client.get(f"{address}/evidence/clip.mp4", headers=headers).status_code == 404
        shutil.copytree(tmp_path / "gone", place / package.relative_to(site.settings.evidence_root))
        part = client.get(f"{address}/evidence/clip.mp4", headers={**headers, "Range": "bytes=10-99"})
        assert (part.status_code, part.content) == (206, clip[10:100])
        assert client.get(f"{address}/verification", headers=headers).json() == {"intact": True, "faults": []}
        (place / package.relative_to(site.settings.evidence_root) / "still.jpg").write_bytes(b"changed")
        shutil.rmtree(tmp_path / "cache")
        refused = client.get(f"{address}/evidence/still.jpg", headers=headers)
        assert refused.status_code == 409
        assert str(tmp_path) not in refused.text


def test_a_package_whose_manifest_is_not_recorded_is_not_called_intact(own: Own) -> None:
    client, repository, site = own
    violation, headers = site.violations[0].id, sign_in(client, "viewer")
    with repository.writing() as connection:
        connection.execute(delete(tables.EvidenceFile).where(tables.EvidenceFile.role == "manifest"))
    checked = client.get(f"/api/v1/violations/{violation}/verification", headers=headers).json()
    reason = "the database records no manifest of this package"
    assert checked == {"intact": False, "faults": [{"file": "manifest.json", "reason": reason}]}


def test_a_package_rewritten_as_a_whole_is_noticed(own: Own) -> None:
    client, repository, site = own
    violation, headers = site.violations[0].id, sign_in(client, "viewer")
    with repository.writing() as connection:
        statement = update(tables.EvidenceFile).where(tables.EvidenceFile.role == "manifest")
        connection.execute(statement.values(sha256="0" * 64))
    checked = client.get(f"/api/v1/violations/{violation}/verification", headers=headers).json()
    assert checked["faults"][0]["file"] == "manifest.json"
