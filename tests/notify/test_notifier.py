"""From a stored violation to a message that has arrived: against real databases and a real web server."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from pipeline.notify import Notifier
from pipeline.notify.notifier import Pace
from pipeline.store import Repository
from pipeline.store.notifications import Addressed
from pipeline.types import CameraAlert, Findings, Trace

from ..servers.receiver import Receiver
from ..store.makers import plate, violation
from .makers import config, webhook

ROOT = Path(__file__).parents[2]
QUICK = Pace(look=0.02, first=0.05, longest=0.2)


@contextmanager
def running(registered, repository, **given):
    notifier = Notifier(registered, repository, Path("evidence"), QUICK, **given)
    notifier.start()
    try:
        yield notifier
    finally:
        notifier.close()


def save(repository, *violations):
    repository.announces = True
    repository.save(Findings(violations=violations))


def wait_until(condition, seconds=15):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not come"
        time.sleep(0.02)


def test_a_violation_is_told_when_it_begins_and_when_it_ends(repository, receiver):
    one = violation(kind="fire", plate=plate())
    with running(config(webhook(receiver.url)), repository):
        save(repository, one)
        receiver.wait_for(1)
        save(repository, one)  # told again by its camera: nothing new
        save(repository, violation(kind="fire", end=one.start + timedelta(seconds=9)))
        began, ended = receiver.wait_for(2)
        wait_until(lambda: repository.notification_counts() == {("desk", "sent"): 2})
    assert began.document["title"] == "Huế: Fire or smoke – Cổng 1"
    assert began.document["text"] == "Began 2026-11-01 12:00:00, confidence 80%."
    assert began.document["violation"]["id"] == str(one.id)
    assert "plate" not in began.document["violation"]
    assert ended.document["event"] == "violation_ended"
    assert began.headers["webhook-id"] != ended.headers["webhook-id"]
    assert len(receiver.received) == 2


def test_plates_go_only_to_targets_that_may_have_them(repository, receiver):
    trusted, other = webhook(receiver.url, "trusted", plates=True), webhook(receiver.url, "other", language="vi")
    with running(config(trusted, other), repository):
        save(repository, violation(plate=plate("75A-123.45")))
        got = {each.document["text"]: each for each in receiver.wait_for(2)}
    with_plate, without = got.values() if "75A" in next(iter(got)) else reversed(got.values())
    assert with_plate.document["violation"]["plate"] == "75A-123.45"
    assert with_plate.document["text"].endswith("Plate 75A-123.45.")
    assert without.document["text"] == "Bắt đầu 12:00:00 01/11/2026, độ tin cậy 80%."
    assert b"75A" not in without.body


def test_a_plate_near_a_watched_one_is_told_as_near(repository, receiver):
    with running(config(webhook(receiver.url)), repository):
        save(repository, violation(kind="plate", trace=Trace((), (), {"match": "near"})))
        (told,) = receiver.wait_for(1)
    assert told.document["title"] == "Huế: Vehicle with a plate near one of the watchlist – Cổng 1"


def test_a_disproved_hit_is_told_as_such_and_without_the_plate(repository, receiver):
    with running(config(webhook(receiver.url, plates=True)), repository):
        save(repository, violation(kind="plate", trace=Trace((), (), {"match": "none"}), plate=plate("75A-123.45")))
        (told,) = receiver.wait_for(1)
    assert told.document["title"] == (
        "Huế: Vehicle first read as one of the watchlist; later reads speak against it – Cổng 1"
    )
    assert told.document["violation"]["match"] == "none"
    assert "75A" not in told.body.decode()


def test_what_a_kill_left_open_is_told_to_have_ended(repository, receiver):
    with running(config(webhook(receiver.url)), repository):
        repository.announces = True
        settings = {"content_sha256": "", "config_hash": "", "models_hash": "", "version": "1"}
        run = repository.begin_run("gate-1", "live", process="1999999:1", **settings)  # of a process that is gone
        repository.save(Findings(violations=(violation(),)), run)
        receiver.wait_for(1)
        repository.interrupt_stale_runs()
        assert receiver.wait_for(2)[1].document["event"] == "violation_ended"


def test_faults_of_cameras_and_of_the_file_are_told(repository, receiver):
    repository.announces = True
    now = datetime.now(UTC)
    alert = CameraAlert(uuid4(), "gate-2", "frozen", now, None, 31.0, 30.0)
    with running(config(webhook(receiver.url)), repository):
        repository.save_alert(alert)
        receiver.wait_for(1)
        repository.save_alert(replace(alert, id=uuid4(), kind="failed"))
        given_up = receiver.wait_for(2)[1]
        about = {"process": 1, "time": now}
        repository.refuse(uuid4(), "streams.yaml", "streams.yaml:3:1: rate: found 'x'", **about)
        receiver.wait_for(3)
        repository.put_in_force(uuid4(), "streams.yaml", "ab" * 32, "{}", note="", **about)
        fault, _, refused, mended = receiver.wait_for(4)
    assert fault.document["title"] == "Huế: Picture frozen – gate-2"
    assert fault.document["alert"]["phase"] == "began"
    assert given_up.document["title"] == "Huế: Analysis failed – gate-2"
    assert "the program tries again by itself" in given_up.document["text"]
    assert refused.document["text"].endswith("streams.yaml:3:1: rate: found 'x'")
    assert mended.document["title"] == "Huế: Configuration is good again"


def test_a_clock_that_was_set_is_told_by_route_hour_and_number_as_all_faults(repository, receiver):
    repository.announces = True
    now = datetime.now(UTC)
    clock = CameraAlert(uuid4(), "gate-1", "clock", now, None, -3600.0, 1.5, "this computer's clock was set back …")
    route = {"targets": ["desk"], "events": ["camera"], "kinds": ["clock", "skewed"]}
    quiet = {"targets": ["night"], "events": ["camera"], "quiet": ["daily 00:00-24:00"]}
    targets = webhook(receiver.url, per_minute=2), webhook(receiver.url, "night", language="vi")
    with running(config(*targets, routes=[{**route, "cameras": ["gate-1"]}, quiet]), repository):
        repository.save_alert(replace(clock, id=uuid4(), kind="dark"))
        repository.save_alert(replace(clock, id=uuid4(), camera="gate-2"))
        repository.save_alert(clock)
        receiver.wait_for(1)
        repository.save_alert(replace(clock, id=uuid4(), kind="skewed", value=4.25))
        told, skewed = receiver.wait_for(2)
        repository.save_alert(replace(clock, end=now + timedelta(minutes=1)))
        wait_until(
            lambda: repository.notification_counts() == {("desk", "sent"): 2, ("desk", "held"): 1, ("night", "held"): 5}
        )
    assert told.document["title"] == "Huế: This computer's clock was set – Cổng 1"
    assert told.document["text"].startswith("The clock was set by -3600.0 s at ")
    assert told.document["alert"]["kind"] == "clock"
    assert skewed.document["title"] == "Huế: Camera's clock is off – Cổng 1"
    assert skewed.document["text"].startswith("Its clock is +4.2 s off this computer's since ")


def test_a_refusal_is_tried_again_under_the_same_id(repository, receiver):
    receiver.answers.extend([500, 503])
    with running(config(webhook(receiver.url)), repository):
        save(repository, violation())
        got = receiver.wait_for(3)
        wait_until(lambda: repository.notification_counts() == {("desk", "sent"): 1})
    assert len({each.headers["webhook-id"] for each in got}) == 1


def test_what_nobody_takes_is_given_up_and_can_be_sent_again(repository, receiver):
    receiver.answers.extend([500] * 1000)
    with running(config(webhook(receiver.url, retry_hours=0.0001)), repository):
        save(repository, violation())
        wait_until(lambda: repository.notification_counts() == {("desk", "dead"): 1})
        (given_up,) = repository.notifications("dead")
        assert given_up.error == "answered 500"
        receiver.answers.clear()
        assert repository.revive(datetime.now(UTC)) == 1
        wait_until(lambda: repository.notification_counts() == {("desk", "sent"): 1})


def test_a_slow_target_does_not_hold_up_another(repository, receiver):
    slow = Receiver()
    slow.delay = 3.0
    with running(config(webhook(slow.url, "slow"), webhook(receiver.url, "quick")), repository):
        save(repository, *(violation(number) for number in range(5)))
        began = time.monotonic()
        receiver.wait_for(5)
        assert time.monotonic() - began < 2.5
        assert len(slow.received) <= 1
    slow.close()


def test_what_exceeds_the_limit_comes_as_one_summary_except_what_is_urgent(repository, receiver):
    route = {"targets": ["desk"], "always": ["fire"]}
    shift = timedelta()
    with running(
        config(webhook(receiver.url, per_minute=2), routes=[route]), repository, clock=lambda: datetime.now(UTC) + shift
    ):
        save(repository, *(violation(number, kind="crowd") for number in range(6)))
        receiver.wait_for(2)
        wait_until(lambda: repository.notification_counts().get(("desk", "held")) == 4)
        save(repository, violation(9, kind="fire"))
        assert receiver.wait_for(3)[2].document["violation"]["kind"] == "fire"
        shift = timedelta(seconds=61)
        summary = receiver.wait_for(4)[3].document
        wait_until(lambda: repository.notification_counts() == {("desk", "sent"): 4, ("desk", "summed"): 4})
    assert summary["title"] == "Huế: 4 messages were held back"
    assert summary["text"].endswith(": 4 × Crowd.")
    assert len(receiver.received) == 4


@pytest.mark.parametrize("step", [timedelta(hours=-1), timedelta(hours=1)])
def test_a_clock_that_is_set_delays_and_doubles_nothing(repository, receiver, step):
    shift = timedelta()
    everything = [{"targets": ["desk"]}]
    registered = config(webhook(receiver.url, per_minute=3), webhook(receiver.url, "killed"), routes=everything)

    def clock():
        return datetime.now(UTC) + shift

    receiver.answers.extend([200, 200, 500])
    save(repository, violation(1))
    repository.route(repository.unrouted(["gate-1"])[0], [Addressed("killed", clock())], clock())
    held = repository.claim("killed", clock(), clock() + timedelta(minutes=2))  # by a process that was killed then
    slow = Pace(look=0.02, first=600.0, longest=600.0)
    notifier = Notifier(registered, repository, Path("evidence"), slow, clock)
    notifier.start()
    save(repository, violation(2), violation(3))
    receiver.wait_for(2)
    save(repository, violation(4))
    receiver.wait_for(3)  # and refused: due in ten minutes by the clock as it is now
    wait_until(lambda: repository.notifications(target="desk", state="waiting")[0].attempts == 1)
    notifier.close()
    receiver.answers.clear()
    shift = step
    with running(registered, repository, clock=clock):
        save(repository, violation(5))
        got = receiver.wait_for(6)
        wait_until(lambda: repository.notification_counts() == {("desk", "sent"): 4, ("killed", "sent"): 1})
    ids = [each.headers["webhook-id"] for each in got]
    assert str(held.id) in ids
    assert (len(ids), len(set(ids))) == (6, 5), "the refused one was tried again, and nothing else came twice"


def test_quiet_hours_end_with_a_summary(repository, receiver):
    moment = datetime(2026, 11, 2, 22, 30, tzinfo=UTC)
    route = {"targets": ["desk"], "quiet": ["daily 22:00-06:00"]}
    with running(config(webhook(receiver.url), routes=[route], zone="UTC"), repository, clock=lambda: moment):
        save(repository, *(violation(number) for number in range(3)))
        wait_until(lambda: repository.notification_counts() == {("desk", "held"): 3})
        moment = datetime(2026, 11, 3, 6, 0, tzinfo=UTC)
        (summary,) = receiver.wait_for(1)
    assert summary.document["summary"]["count"] == 3
    assert summary.document["summary"]["kinds"] == {"wrong_way": 3}


def test_a_changed_target_is_used_from_then_on(repository, receiver):
    with running(config(webhook("http://127.0.0.1:9/")), repository) as notifier:
        save(repository, violation())
        wait_until(lambda: repository.notifications() and repository.notifications()[0].attempts > 0)
        notifier.change(config(webhook(receiver.url)))
        receiver.wait_for(1)


def test_two_processes_share_an_outbox_without_sending_twice(url, repository, receiver):
    registered = config(webhook(receiver.url, per_minute=600))
    with Repository.open(url) as second, running(registered, repository), running(registered, second):
        save(repository, *(violation(number) for number in range(30)))
        receiver.wait_for(30)
        wait_until(lambda: repository.notification_counts() == {("desk", "sent"): 30})
    assert len({each.headers["webhook-id"] for each in receiver.received}) == len(receiver.received) == 30


def test_recordings_analysed_afterwards_are_no_news(repository, receiver):
    with running(config(webhook(receiver.url)), repository):
        repository.save(Findings(violations=(violation(1),)))
        save(repository, violation(2))
        receiver.wait_for(1)
    assert [each.announcement.subject for each in repository.notifications()] == [str(violation(2).id)]


def test_only_messages_of_targets_that_are_gone_are_given_up_by_age(repository, receiver):
    registered = config(webhook(receiver.url, retry_hours=720))
    with running(registered, repository):
        save(repository, violation(1))
        wait_until(lambda: repository.notification_counts() == {("desk", "sent"): 1})
    receiver.answers.extend([500] * 1000)
    save(repository, violation(2))
    (about,) = repository.unrouted(["gate-1"])
    repository.route(about, [Addressed(name, about.created) for name in ("desk", "gone")], datetime.now(UTC))
    with running(registered, repository, clock=lambda: datetime.now(UTC) + timedelta(days=10)):
        wait_until(lambda: repository.notifications(target="desk", state="waiting")[0].attempts)
    assert repository.notification_counts() == {("desk", "sent"): 1, ("desk", "waiting"): 1, ("gone", "waiting"): 1}
    with running(registered, repository, clock=lambda: datetime.now(UTC) + timedelta(days=60)):
        wait_until(lambda: len(repository.notifications("dead")) == 2)
    reasons = {each.target: each.error for each in repository.notifications("dead")}
    assert reasons == {"desk": "answered 500", "gone": "the target is not configured any more"}
    assert len(repository.notifications("sent")) == 1  # how long that is known is for retention to say


def test_neither_address_nor_key_nor_plate_is_kept(tmp_path, receiver):
    secret = "another-signing-key"
    receiver.answers.append(500)
    with Repository.open(f"sqlite:///{tmp_path / 'test.db'}") as repository:
        target = webhook(f"{receiver.url}/token-1234", secret=secret)
        with running(config(target), repository):
            save(repository, violation())
            receiver.wait_for(2)
            wait_until(lambda: repository.notification_counts() == {("desk", "sent"): 1})
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("test.db*"))
    assert secret.encode() not in kept
    assert b"token-1234" not in kept


SENDER = """
import sys, time
from pathlib import Path
from pipeline.notify import Notifier
from pipeline.notify.notifier import Pace
from pipeline.store import Repository
from tests.notify.makers import config, webhook
repository = Repository.open(sys.argv[1])
Notifier(config(webhook(sys.argv[2])), repository, Path("evidence"), Pace(look=0.02)).start()
time.sleep(60)
"""


def test_a_kill_between_sending_and_noting_it_costs_nothing(tmp_path, receiver):
    """What the killed process had in hand is sent again under the same id, once its lease is over."""
    receiver.delay = 1.0  # the kill comes while the answer is still out
    url = f"sqlite:///{tmp_path / 'test.db'}"
    with Repository.open(url) as repository:
        save(repository, violation(1), violation(2))
        process = subprocess.Popen([sys.executable, "-c", SENDER, url, receiver.url], cwd=ROOT)
        receiver.wait_for(1, 30)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        receiver.delay = 0.0
        later = timedelta(minutes=3)
        with running(config(webhook(receiver.url)), repository, clock=lambda: datetime.now(UTC) + later):
            wait_until(lambda: repository.notification_counts() == {("desk", "sent"): 2})
    ids = [each.headers["webhook-id"] for each in receiver.received]
    assert len(ids) == 3
    assert ids[0] in ids[1:]
    assert len(set(ids)) == 2


def test_closing_does_not_wait_for_a_slow_target(tmp_path, receiver):
    receiver.delay = 5.0
    with Repository.open(f"sqlite:///{tmp_path / 'test.db'}") as repository:
        with running(config(webhook(receiver.url)), repository):
            save(repository, violation())
            receiver.wait_for(1)
            began = time.monotonic()
        assert time.monotonic() - began < 4
