"""Cases handed over by the API and the desk: who may, what they get, what is written down."""

from __future__ import annotations

import json
import re
import time
import zipfile
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from pipeline.casefile.verification import Verdict, verify
from pipeline.evidence import EvidenceRecorder
from pipeline.review import Action, Decision, ReviewPolicy
from pipeline.signing import Signer, TrustedKeys
from pipeline.sources.recording import Recording
from pipeline.store import Repository
from pipeline.types import Findings
from tests.store.makers import NOON, violation

from .conftest import sign_in
from .site import Site

Own = tuple[TestClient, Repository, Site]
WHY = {"reason": "request 12/2026"}


def trusted(client: TestClient, folder: Path) -> TrustedKeys:
    """The keys as anybody gets them."""
    keys = client.get("/api/v1/signing-keys").json()
    assert [key["signs"] for key in keys] == [True, *[False] * (len(keys) - 1)]
    files = [folder / f"{key['id']}.pem" for key in keys]
    for file, key in zip(files, keys, strict=True):
        file.write_text(key["pem"])
    return TrustedKeys.read(*files)


def judge(data: bytes, folder: Path, keys: TrustedKeys) -> Verdict:
    file = folder / "case.zip"
    file.write_bytes(data)
    (verdict,) = verify(file, keys)
    return verdict


def exports(repository: Repository, action: str = "case.export") -> list[dict[str, object]]:
    return [{"actor": row.actor, **row.detail} for row in repository.audit().items if row.action == action]


def test_a_case_is_handed_over_signed_and_written_down(own: Own, tmp_path: Path) -> None:
    client, repository, site = own
    address = f"/api/v1/violations/{site.violations[0].id}/package"
    headers = sign_in(client, "reviewer")
    answer = client.get(address, params=WHY, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert int(answer.headers["content-length"]) == len(answer.content)
    verdict = judge(answer.content, tmp_path, trusted(client, tmp_path))
    assert verdict.intact, str(verdict)
    manifest = answer.headers["etag"].strip('"')
    told = {"actor": "reviewer", "reason": "request 12/2026", "redacted": False, "manifest_sha256": manifest}
    assert exports(repository) == [told]
    assert client.get(address, params=WHY, headers=headers).content == answer.content
    assert list(repository.check_chain()) == []


def test_without_a_reason_or_a_case_nothing_is_handed_over(own: Own) -> None:
    client, repository, site = own
    headers = sign_in(client, "reviewer")
    address = f"/api/v1/violations/{site.violations[0].id}"
    for params in ({}, {"reason": ""}, {"reason": "??"}):
        assert client.get(f"{address}/package", params=params, headers=headers).status_code == 422
    assert client.post(f"{address}/copy", json={}, headers=headers).status_code == 422
    unknown = f"/api/v1/violations/{UUID(int=1)}/package"
    assert client.get(unknown, params=WHY, headers=headers).status_code == 404
    assert client.get(f"{address}/copy", headers=headers).status_code == 404
    assert client.get(f"{address}/copy/package", params=WHY, headers=headers).status_code == 404
    assert exports(repository) == []


def test_who_has_yet_to_read_the_plate_gets_no_case(own: Own) -> None:
    client, repository, site = own
    case = site.violations[0].id
    policy = ReviewPolicy(four_eyes=frozenset({"wrong_way"}))
    repository.decide_review(case, Decision(Action.ACCEPT, "lan", plate="75A-1"), policy, version=0, now=NOON)
    for role in ("reviewer", "senior_reviewer"):
        headers = sign_in(client, role)
        for address in (f"/api/v1/violations/{case}/package", f"/api/v1/violations/{case}/copy/package"):
            answer = client.get(address, params=WHY, headers=headers)
            assert answer.status_code == 403
            assert "you have yet to read" in answer.json()["detail"]
        assert client.get(f"/violations/{case}/handing-over", headers=headers).status_code == 403


def test_evidence_that_was_tampered_with_is_not_handed_over(own: Own) -> None:
    client, repository, site = own
    case = site.violations[0].id
    (still,) = site.settings.evidence_root.glob(f"*/*/{case}/still.jpg")
    still.write_bytes(b"another picture")
    answer = client.get(f"/api/v1/violations/{case}/package", params=WHY, headers=sign_in(client, "reviewer"))
    assert answer.status_code == 409
    assert str(site.settings.evidence_root) not in answer.text
    assert exports(repository) == []


def test_the_head_of_the_chain_is_signed_for_administrators(own: Own, tmp_path: Path) -> None:
    client, repository, _ = own
    answer = client.get("/api/v1/checkpoint", headers=sign_in(client, "admin")).json()
    keys = trusted(client, tmp_path)
    signed = {name: value for name, value in answer.items() if name != "signature"}
    data = json.dumps(signed, sort_keys=True, separators=(",", ":")).encode()
    assert keys.fault(answer["key"], answer["signature"], data) == ""
    assert answer["number"] == repository.chain_head().number


def short_case(site: Site, repository: Repository) -> UUID:
    """A case whose clip is a third of a second."""
    (clip,) = site.settings.evidence_root.glob("*/*/*/clip.mp4")
    assert site.settings.keys_root is not None
    signer = Signer.open(site.settings.keys_root)
    recorder = EvidenceRecorder(
        "gate-1", site.settings.evidence_root, before=timedelta(), after=timedelta(), signer=signer
    )
    frames = []
    for frame in Recording(clip, "gate-1", start=NOON).frames(recorder.packet):
        frames.append(frame)
        if len(frames) == 3:
            break
    found = violation(7, start=NOON, end=frames[-1].time, peak=NOON, still=frames[0])
    repository.save(Findings((found,)))
    recorder.record(found)
    for evidence in recorder.finish():
        repository.attach(evidence)
    return found.id


def test_a_redacted_copy_is_made_beside_and_says_what_it_is_a_copy_of(own: Own, tmp_path: Path) -> None:
    client, repository, site = own
    case = short_case(site, repository)
    headers = sign_in(client, "reviewer")
    address = f"/api/v1/violations/{case}/copy"
    begun = client.post(address, json=WHY, headers=headers)
    assert (begun.status_code, begun.json()["state"]) == (202, "waiting")
    again = client.post(address, json=WHY, headers=headers)
    assert again.status_code == 202
    deadline = time.monotonic() + 200
    while (state := client.get(address, headers=headers).json())["state"] in ("waiting", "working"):
        assert time.monotonic() < deadline
        early = client.get(f"{address}/package", params=WHY, headers=headers)
        assert early.status_code in (200, 409)
        time.sleep(0.2)
    assert (state["state"], state["error"], state["share"]) == ("done", "", 1.0)
    assert datetime.fromisoformat(state["until"]) > datetime.now(UTC) + timedelta(hours=23)
    answer = client.get(f"{address}/package", params=WHY, headers=headers)
    keys = trusted(client, tmp_path)
    verdict = judge(answer.content, tmp_path, keys)
    assert verdict.intact, str(verdict)
    evidence = repository.evidence(case)
    assert evidence is not None
    original = next(file.sha256 for file in evidence.files if file.role == "manifest")
    assert f"a redacted copy of the package whose manifest has the SHA-256 {original}" in str(verdict)
    with zipfile.ZipFile(BytesIO(answer.content)) as packed:
        copied = json.loads(packed.read(f"{case}/evidence/manifest.json"))
        assert copied["redaction"]["original"] == original
        assert (
            packed.read(f"{case}/evidence/clip.mp4")
            != (site.settings.evidence_root / evidence.folder / "clip.mp4").read_bytes()
        )
    assert exports(repository)[0]["redacted"] is True
    assert exports(repository, "case.redact")[0] == {"actor": "reviewer", **WHY, "original": original}
    later = site.settings.model_copy(update={"copies_kept": timedelta(seconds=-1)})
    with TestClient(create_app(later)) as other:
        other.post(address.replace(str(case), str(site.violations[0].id)), json={}, headers=headers)
        gone = other.post(address, json=WHY, headers=sign_in(other, "reviewer"))
        assert gone.json()["state"] == "waiting", "the old one was removed"


def test_the_desk_leads_from_the_case_to_its_handing_over(own: Own) -> None:
    client, _, site = own
    case = site.violations[0].id
    signed_in = client.post("/login", data={"name": "reviewer", "password": "a long enough secret"})
    assert signed_in.status_code == 303
    case_page = client.get(f"/violations/{case}").text
    assert f'href="/violations/{case}/handing-over"' in case_page
    shown = client.get(f"/violations/{case}/handing-over").text
    assert f'action="/api/v1/violations/{case}/package"' in shown
    assert client.get("/api/v1/signing-keys").json()[0]["id"] in shown
    form = re.search(r'name="token" value="([^"]+)"', shown)
    assert form is not None
    refused = client.post(f"/violations/{case}/copy", data={"reason": "request 12", "token": "x"})
    assert refused.status_code == 403


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_page_speaks_both_languages(own: Own, language: str) -> None:
    client, _, site = own
    client.post("/login", data={"name": "reviewer", "password": "a long enough secret"})
    client.post("/language", data={"language": language, "next": "/"})
    shown = client.get(f"/violations/{site.violations[0].id}/handing-over").text
    assert ("Bàn giao hồ sơ" in shown) == (language == "vi")
