"""Who is told of an announcement, and when. Reads no clock and no file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

from pipeline.config import NotificationsConfig, RouteConfig, Window
from pipeline.store.notifications import Addressed
from pipeline.store.records import AnnouncementRecord

WEEK = timedelta(days=7)
MINUTE = timedelta(minutes=1)


def address(
    announcement: AnnouncementRecord,
    rule: str,
    confidence: float,
    settings: NotificationsConfig,
    now: datetime,
    zone: tzinfo,
) -> list[Addressed]:
    """Each target that some route sends it to, once; the route that sends it soonest decides.

    `rule` and `confidence` are those of the violation, "" and 1 for anything else; `zone` is the site's.
    """
    chosen: dict[str, Addressed] = {}
    for route in settings.routes:
        if not _lets_through(route, announcement, rule, confidence):
            continue
        urgent = announcement.kind in route.always
        until = now if urgent else end_of_quiet(route.quiet, now, zone)
        for target in route.targets:
            new = Addressed(target, until, held=until > now, urgent=urgent)
            old = chosen.get(target)
            if old is None or (new.due, not new.urgent) < (old.due, not old.urgent):
                chosen[target] = new
    return list(chosen.values())


def end_of_quiet(quiet: Sequence[Window], now: datetime, zone: tzinfo) -> datetime:
    """When the quiet hours that cover `now` end; `now` itself when none does.

    Goes by the minute in UTC, so that windows over midnight, joined windows and changes of the clock come out right.
    Windows that leave no minute of the week free end after a week.
    """
    if not any(window.covers(now.astimezone(zone)) for window in quiet):
        return now
    moment = now.replace(second=0, microsecond=0)
    while moment < now + WEEK:
        moment += MINUTE
        if not any(window.covers(moment.astimezone(zone)) for window in quiet):
            break
    return moment


def _lets_through(route: RouteConfig, announcement: AnnouncementRecord, rule: str, confidence: float) -> bool:
    if announcement.event not in route.events:
        return False
    if announcement.event == "configuration":
        return True
    if route.cameras and announcement.camera not in route.cameras:
        return False
    if route.kinds and announcement.kind not in route.kinds:
        return False
    if announcement.event == "camera":
        return not route.rules
    return (not route.rules or rule in route.rules) and confidence >= route.min_confidence
