"""A case file: what is in it, who can check it, and that no byte of it can be changed without being named."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from pipeline.casefile import read_case
from pipeline.casefile.documents import case_documents
from pipeline.casefile.verification import Verdict, heads_of, verify
from pipeline.clocks import with_clock
from pipeline.errors import EvidenceError
from pipeline.evidence.container import chunks, describe, pack
from pipeline.evidence.manifest import canonical
from pipeline.readers.steady_clock import Step
from pipeline.signing import Signer, TrustedKeys
from pipeline.store.chain import ALTERATIONS
from pipeline.store.records import Run
from pipeline.store.review_tables import Review
from pipeline.store.tables import Camera
from pipeline.types import Findings
from tests.store.makers import NOON, violation
from tests.store.tampering import behind

from .makers import Handed, hand_over


@pytest.fixture(scope="module")
def handed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Handed]:
    made = hand_over(tmp_path_factory.mktemp("site"))
    yield made
    made.repository.close()


@pytest.fixture
def unpacked(handed: Handed, tmp_path: Path) -> Path:
    with zipfile.ZipFile(handed.zip) as packed:
        packed.extractall(tmp_path)
    return tmp_path / str(handed.case)


def judge(path: Path, trusted: TrustedKeys | None) -> Verdict:
    (verdict,) = verify(path, trusted)
    return verdict


def faults(path: Path, trusted: TrustedKeys | None) -> list[str]:
    return [str(fault) for fault in judge(path, trusted).faults]


def packed_anew(folder: Path, target: Path) -> Path:
    """Packed as the program packs, whatever is in it."""
    files = {
        describe(path.relative_to(folder.parent).as_posix(), chunks(path)): path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    target.write_bytes(b"".join(pack(list(files), lambda entry: chunks(files[entry]))))
    return target


def test_a_case_is_whole_in_its_zip_file_and_out_of_it(handed: Handed, unpacked: Path) -> None:
    for path in (handed.zip, unpacked):
        verdict = judge(path, handed.trusted)
        assert verdict.intact, str(verdict)
        assert (verdict.kind, verdict.key) == ("case", handed.signer.public.id)
        assert f"case {handed.case}, accepted; signed by the key {verdict.key}" in str(verdict)
    assert "compare it" in str(judge(handed.zip, None))


def test_the_same_state_gives_the_same_bytes_and_another_state_others(handed: Handed, tmp_path: Path) -> None:
    assert handed.assembled() == handed.zip.read_bytes()
    handed.repository.record_audit("lan", "case.export", "violation", str(handed.case))
    assert handed.assembled() == handed.zip.read_bytes()
    own = hand_over(tmp_path)
    before = own.assembled()
    own.repository.hold_violation(own.case, "court order 12", "admin")
    after = own.assembled()
    own.repository.close()
    assert after != before


@pytest.mark.tampers
def test_its_page_says_which_rows_were_changed_past_the_program(tmp_path: Path) -> None:
    own = hand_over(tmp_path)
    assert b'class="altered"' not in own.assembled()
    with behind(own.repository) as connection:
        connection.execute(update(Review).values(first_reviewer="minh", first_plate="99Z-999.99"))
        connection.execute(update(Camera).values(latitude=1.0))
    own.repository.lock_review(own.case, "lan", NOON + timedelta(hours=1), now=NOON)
    own.repository.record_camera("gate-1", "Cổng Ngọ Môn", 16.4677, 107.5792)
    review, camera = (each.number for each in own.repository.case_chain(own.case) if each.kind == ALTERATIONS)
    case = own.assembled()
    assert own.assembled() == case
    own.zip.write_bytes(case)
    own.repository.close()
    assert judge(own.zip, own.trusted).intact
    with zipfile.ZipFile(own.zip) as packed:
        page = packed.read(f"{own.case}/summary.html").decode()
    assert "Dữ liệu của hồ sơ này đã bị thay đổi ngoài chương trình." in page
    assert "Rows of this case were changed past the program." in page
    lines = [line for line in page.splitlines() if line.startswith("<li>")]
    for line, told in zip(
        lines,
        (
            ("kết quả duyệt bị sửa", "/ review changed", "<code>first_plate, first_reviewer</code>", str(review)),
            ("camera bị sửa", "/ camera changed", "<code>latitude</code>", str(camera)),
        ),
        strict=True,
    ):
        assert [each for each in told if each not in line] == []
    assert "99Z" not in page


def test_it_tells_how_the_computers_clock_was_set_before_the_run_and_at_its_end(tmp_path: Path) -> None:
    own = hand_over(tmp_path)
    state = read_case(own.repository, own.case)
    own.repository.close()
    assert state is not None
    forward = Step(NOON, NOON - timedelta(hours=1))
    back = Step(NOON, NOON + timedelta(seconds=2))
    frame = Findings((violation(),))
    (noted,) = with_clock(frame, -3600.0, str(forward)).violations
    (plain,) = with_clock(frame, -3600.0).violations
    details = {"clock": noted.trace.details["clock"]}
    run = Run(uuid4(), "gate-1", "live", "", "", "", "1", None, "finished", NOON, NOON, 1, 1, 0, "", NOON, NOON, NOON)

    def told(trace: dict[str, object], error: str) -> tuple[dict[str, object], str]:
        case = replace(state, violation=replace(state.violation, trace=trace), run=replace(run, error=error))
        documents = case_documents(case, UTC, "Huế", redacted=False)
        return json.loads(documents["clock.json"])["computer_set"], documents["summary.html"].decode()

    step, page = told({"details": details}, f"{back}; times of this run are as the clock was before; no clip")
    assert step == {"before_run": str(forward), "at_end_of_run": str(back)}
    assert "set forward by 3600.0 s" in page
    assert "set back by 2.0 s" in page
    assert plain.trace.details["clock"] == {"camera_ahead_seconds": -3600.0}, "packages of other runs stay as they were"
    step, page = told({"details": plain.trace.details}, "no clip yet: the disk is full")
    assert step == {"before_run": None, "at_end_of_run": None}
    assert "clock was set" not in page


def test_it_holds_all_that_is_known(handed: Handed, unpacked: Path) -> None:
    documents = {f"{name}.json" for name in ("camera", "chain", "clock", "configuration", "review", "violation")}
    seal = {"HOW-TO-VERIFY.txt", "SHA256SUMS", "manifest.json", "manifest.sig", "public-key.pem"}
    assert {path.name for path in unpacked.iterdir()} == {*documents, *seal, "evidence", "summary.html"}
    for path in handed.package.iterdir():
        assert (unpacked / "evidence" / path.name).read_bytes() == path.read_bytes()
    review = json.loads((unpacked / "review.json").read_bytes())
    assert [(step["actor"], step["action"]) for step in review["history"]] == [("lan", "accept")]
    assert review["review"]["plate"] == "75A-100.45"
    camera = json.loads((unpacked / "camera.json").read_bytes())["camera"]
    assert (camera["name"], camera["latitude"], "fps" in camera) == ("Cổng Ngọ Môn", 16.4677, False)
    chain = json.loads((unpacked / "chain.json").read_bytes())["entries"]
    assert {entry["kind"] for entry in chain} >= {"violations", "evidence", "reviews", "review_actions", "plate_reads"}
    manifest = json.loads((unpacked / "manifest.json").read_bytes())
    assert manifest["chain"] == {"number": chain[-1]["number"], "hash": chain[-1]["hash"]}
    own = hashlib.sha256((handed.package / "manifest.json").read_bytes()).hexdigest()
    assert manifest["package"] == {"manifest_sha256": own, "original": own, "redacted": False}
    page = (unpacked / "summary.html").read_text()
    assert "75A-100.45" in page
    assert "Đi ngược chiều" in page
    assert "&lt;b&gt;rõ&lt;/b&gt;" in page


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_it_is_verified_without_this_program(handed: Handed, unpacked: Path) -> None:
    check = "openssl pkeyutl -verify -pubin -inkey public-key.pem -rawin -in manifest.json -sigfile manifest.sig"
    done = subprocess.run(check.split(), cwd=unpacked, capture_output=True, text=True, check=False)
    assert "Signature Verified Successfully" in done.stdout
    print_key = "openssl pkey -pubin -in public-key.pem -outform DER"
    der = subprocess.run(print_key.split(), cwd=unpacked, capture_output=True, check=True).stdout
    assert hashlib.sha256(der).hexdigest() == handed.signer.public.id
    sums = subprocess.run(["sha256sum", "--check", "SHA256SUMS"], cwd=unpacked, capture_output=True, check=False)
    assert sums.returncode == 0
    listed = {file["name"] for file in json.loads((unpacked / "manifest.json").read_bytes())["files"]}
    summed = {line.split("  ", 1)[1] for line in (unpacked / "SHA256SUMS").read_text().splitlines()}
    assert listed - summed == {"SHA256SUMS"}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_byte_of_the_zip_file_that_is_changed_is_named(handed: Handed, tmp_path: Path, data: st.DataObject) -> None:
    whole = bytearray(handed.zip.read_bytes())
    with zipfile.ZipFile(handed.zip) as packed:
        infos = packed.infolist()
    # The pieces of the format are few bytes among many, so that each is aimed at by itself.
    info = data.draw(st.sampled_from(infos))
    start = info.header_offset
    directory = infos[-1].header_offset + 30 + len(infos[-1].filename) + infos[-1].file_size
    ranges = [(start, start + 30 + len(info.filename)), (start, start + 30 + len(info.filename) + info.file_size)]
    first, end = data.draw(st.sampled_from([*ranges, (directory, len(whole))]))
    place = data.draw(st.integers(first, end - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    changed = tmp_path / handed.zip.name
    changed.write_bytes(whole)
    for trusted in (handed.trusted, None):
        found = faults(changed, trusted)
        assert found, place
        content = start + 30 + len(info.filename)
        if content <= place < content + info.file_size:
            assert any(info.filename.partition("/")[2] in fault for fault in found), (place, found)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_byte_of_any_unpacked_file_that_is_changed_is_named(
    handed: Handed, tmp_path: Path, data: st.DataObject
) -> None:
    folder = tmp_path / str(handed.case)
    if not folder.exists():
        with zipfile.ZipFile(handed.zip) as packed:
            packed.extractall(tmp_path)
    path = data.draw(st.sampled_from(sorted(path for path in folder.rglob("*") if path.is_file())))
    good = path.read_bytes()
    changed = bytearray(good)
    changed[data.draw(st.integers(0, len(good) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(changed)
    try:
        name = path.relative_to(folder).as_posix()
        for trusted in (handed.trusted, None):
            found = faults(folder, trusted)
            assert any(name in fault for fault in found), (name, found)
    finally:
        path.write_bytes(good)


def test_a_zip_file_that_is_cut_short_or_longer_is_named(handed: Handed, tmp_path: Path) -> None:
    whole = handed.zip.read_bytes()
    target = tmp_path / handed.zip.name
    for data in (b"", whole[:10], whole[: len(whole) // 2], whole[:-1], whole + b"x", b"x" + whole):
        target.write_bytes(data)
        assert faults(target, handed.trusted), len(data)


def test_a_zip_file_that_points_before_its_beginning_is_named(handed: Handed, tmp_path: Path) -> None:
    target = tmp_path / handed.zip.name
    for place in (-6, -5, -4, -3):  # where the directory of files begins, in the record at the end
        changed = bytearray(handed.zip.read_bytes())
        changed[place] ^= 0x40
        target.write_bytes(changed)
        assert faults(target, handed.trusted), place


def test_a_case_without_its_manifest_or_with_no_file_in_its_place_is_named(
    handed: Handed, unpacked: Path, tmp_path: Path
) -> None:
    for manifest in (unpacked / "manifest.json", unpacked / "evidence" / "manifest.json"):
        good = manifest.read_bytes()
        manifest.unlink()
        assert any("manifest.json: is missing" in fault for fault in faults(unpacked, handed.trusted))
        os.mkfifo(manifest)  # whoever opens it waits for ever
        assert any("manifest.json: is not a plain file" in fault for fault in faults(unpacked, handed.trusted))
        manifest.unlink()
        manifest.write_bytes(good)
    without = tmp_path / "without.zip"
    with zipfile.ZipFile(handed.zip) as packed, zipfile.ZipFile(without, "w") as made:
        for info in packed.infolist():
            if info.filename.count("/") > 1 or not info.filename.endswith("/manifest.json"):
                made.writestr(info.filename, packed.read(info))
    assert faults(without, handed.trusted) == [
        "manifest.json: is missing, so that nothing of this case can be verified"
    ]


def test_an_unpacked_case_under_the_name_of_another_is_named(handed: Handed, unpacked: Path) -> None:
    free = unpacked.rename(unpacked.with_name("case 12 of 2026"))
    assert faults(free, handed.trusted) == []
    other = free.rename(free.with_name(str(UUID(int=7))))
    assert any("under the name of another" in fault for fault in faults(other, handed.trusted))
    other.rename(unpacked)


def test_missing_foreign_and_swapped_files_are_named(handed: Handed, unpacked: Path, tmp_path: Path) -> None:
    (unpacked / "clock.json").unlink()
    (unpacked / "notes.txt").write_text("x")
    (unpacked / "evidence" / "deeper").mkdir()
    (unpacked / "evidence" / "deeper" / "y").write_text("y")
    still, plate = unpacked / "evidence" / "still.jpg", unpacked / "evidence" / "plate.jpg"
    still.rename(tmp_path / "kept")
    plate.rename(still)
    (tmp_path / "kept").rename(plate)
    for path in (unpacked, packed_anew(unpacked, tmp_path / handed.zip.name)):
        found = faults(path, handed.trusted)
        assert "clock.json: is missing" in found
        assert "notes.txt: does not belong to the package" in found
        assert "evidence/deeper/y: does not belong to the package" in found
        assert {"evidence/still.jpg", "evidence/plate.jpg"} <= {fault.partition(":")[0] for fault in found}
        shutil.rmtree(unpacked) if path == unpacked else None


def test_names_that_lead_out_of_the_folder_are_refused(handed: Handed, tmp_path: Path) -> None:
    case = str(handed.case)
    for name in ("../evil", f"{case}/../../evil", "/etc/passwd", f"{case}/a\\b", f"{case}/.hidden", "", "evil"):
        target = tmp_path / "hostile.zip"
        with zipfile.ZipFile(handed.zip) as source, zipfile.ZipFile(target, "w") as packed:
            for info in source.infolist():
                packed.writestr(info, source.read(info))
            packed.writestr(zipfile.ZipInfo(name), b"x")
        (found,) = faults(target, handed.trusted)
        assert "could lead out of its folder" in found or "does not hold one folder alone" in found
    link = zipfile.ZipInfo(f"{case}/link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(target, "w") as packed:
        packed.writestr(link, "/etc/passwd")
    assert "a link" in faults(target, None)[0]
    with zipfile.ZipFile(target, "w") as packed:
        packed.writestr(f"{case}/bomb", bytes(10**6), zipfile.ZIP_DEFLATED)
    assert "in a form that no exported file has" in faults(target, None)[0]


def test_who_else_signs_is_not_believed(handed: Handed, unpacked: Path, tmp_path: Path) -> None:
    forger = Signer.open(tmp_path / "forger")
    manifest = json.loads((unpacked / "manifest.json").read_bytes())
    data = canonical({**manifest, "key": forger.public.id, "state": "rejected"})
    (unpacked / "manifest.json").write_bytes(data)
    (unpacked / "manifest.sig").write_bytes(bytes.fromhex(forger.sign(data)))
    assert faults(unpacked, handed.trusted) == [
        f"manifest.json: is signed by the key {forger.public.id[:16]}…, which is not trusted here"
    ]
    assert faults(unpacked, None) == [
        "public-key.pem: is not the key that manifest.json names: one of the two was changed"
    ]
    (unpacked / "manifest.json").write_bytes(canonical(manifest))
    assert "does not bear the signature" in faults(unpacked, handed.trusted)[0]
    (unpacked / "manifest.sig").unlink()
    assert faults(unpacked, handed.trusted) == ["manifest.sig: is missing: the case is not signed"]
    (unpacked / "manifest.json").write_bytes(canonical({**manifest, "extra": 1}))
    assert "holds the unknown field extra" in faults(unpacked, handed.trusted)[0]


def test_a_case_packed_anew_by_others_is_told_from_the_exported_one(
    handed: Handed, unpacked: Path, tmp_path: Path
) -> None:
    target = tmp_path / "anew.zip"
    with zipfile.ZipFile(target, "w") as packed:
        for path in sorted(path for path in unpacked.rglob("*") if path.is_file()):
            packed.write(path, path.relative_to(tmp_path).as_posix())
    (found,) = faults(target, handed.trusted)
    assert "the files in it are whole, the ZIP file around them was changed" in found


def test_evidence_that_is_not_what_was_recorded_is_not_handed_over(tmp_path: Path) -> None:
    own = hand_over(tmp_path)
    (own.package / "still.jpg").write_bytes(b"another picture")
    with pytest.raises(EvidenceError, match=r"still\.jpg: was changed"):
        own.assembled()
    own.repository.close()


def test_an_exported_case_tells_where_the_chain_stood(handed: Handed, tmp_path: Path) -> None:
    (head,) = heads_of(handed.zip, handed.trusted)
    assert list(handed.repository.check_chain([head], handed.trusted)) == []
    assert head.sealed_from == 1
    assert head.number <= handed.repository.chain_head().number
    stranger = Signer.open(tmp_path / "stranger")
    with pytest.raises(EvidenceError, match="not trusted here"):
        heads_of(handed.zip, TrustedKeys([stranger.public]))
