"""Every page of the desk, as the access table has it, and a site in which each has something to show."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import APIRequestContext, Browser, BrowserContext

from api.auth.access import ACCESS
from api.settings import Settings
from pipeline.config.camera_change import CameraChange, changing
from pipeline.config.registration import Registration
from pipeline.paths import StillFiles
from pipeline.signing import Signer
from pipeline.sources.recording import Recording
from pipeline.stills import Stills
from pipeline.store import Repository, Role

from ..test_stills import wait_for
from . import city
from .site import PASSWORD, encode, film

DESKTOP, PHONE = (1366, 768), (390, 844)
NO_PAGES = ("/api/", "/health/", "/static/", "/map/tiles/", "/login/provider", "/account/second-factor/picture")
MOST_RIGHTS_LAST = (Role.VIEWER, Role.OPERATOR, Role.ADMIN, Role.REVIEWER, Role.SENIOR_REVIEWER)
ASKED = {
    "/": ("", "?state=accepted", "?reason=case+2026-118&plate=75A*"),
    "/plates": ("", "?reason=case+2026-118&plate=75*"),
    "/journeys": (f"?reason=case+2026-118&plate={city.JOURNEY}",),
    "/watchlists/removal": ("?list=lists/stolen.csv&plate=75A18283",),
}
"""How some pages are asked, so that they show what they can."""


@dataclass(frozen=True, slots=True)
class DeskSite:
    """`values` are those of the parameters in the addresses of pages."""

    settings: Settings
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DeskPage:
    """One address, and the role of the one who opens it; None for nobody signed in."""

    path: str
    role: Role | None

    def __str__(self) -> str:
        return f"{self.path} for {self.role or 'nobody'}"


def build(folder: Path) -> DeskSite:
    """The city of tests/api/city.py, with two cases that have evidence, a camera's picture, and its streams.yaml."""
    settings = city.build(folder).settings
    clip, root = encode(folder / "clip.mp4"), folder / "evidence"
    registration = Registration(folder / "streams.yaml", folder / "versions")
    earlier = registration.read()
    renamed = CameraChange(name="Trường Tiền")
    registration.write(registration.edited(earlier, lambda data: changing(data, 0, renamed)), "operator")
    revision = registration.read()
    with Repository.open(settings.database_url.get_secret_value()) as repository:
        first, second = (film(repository, root, clip, number, Signer.open(folder / "keys")) for number in range(2))
        user = next(iter(repository.users()))
        load = next(load for load in repository.configuration_loads() if load.configuration)
    camera = registration.config(revision).camera(first.camera)
    with Stills(folder / "stills") as stills:
        stills.offer(camera, next(iter(Recording(clip, camera.id, start=first.start).frames(lambda _: None))))
        wait_for(StillFiles.of(folder / "stills", camera.id).bare)
    values = {
        "violation_id": str(first.id),
        "other_id": str(second.id),
        "camera_id": camera.id,
        "digest": earlier.digest,
        "user_id": str(user.id),
        "version": str(load.configuration),
    }
    own = {"registration": registration, "stills_root": folder / "stills", "evidence_root": root}
    own |= {"training_root": folder / "training"}
    return DeskSite(settings.model_copy(update={**own, "keys_root": folder / "keys"}), values)


def desk_pages(site: DeskSite) -> list[DeskPage]:
    """Ordered by role. Raises KeyError for a route with a parameter that the site has no value for."""
    found = []
    for (method, path), roles in ACCESS.items():
        if method == "GET" and not path.startswith(NO_PAGES):
            address = re.sub(r"\{(\w+)\}", lambda name: site.values[name[1]], path)
            role = None if roles is None else max(roles, key=MOST_RIGHTS_LAST.index)
            found += [DeskPage(address + query, role) for query in ASKED.get(path, ("",))]
    return sorted(found, key=lambda page: page.role or "")


def whole(pages: Iterable[DeskPage], ask: APIRequestContext) -> Iterator[DeskPage]:
    """Those of one role's pages that are whole ones; the others are parts, files, or lead on to another page."""
    for page in pages:
        answer = ask.get(page.path, max_redirects=0)
        assert answer.status < 500, page
        if answer.headers.get("content-type", "").startswith("text/html") and "<html" in answer.text():
            yield page


def opened(browser: Browser, server: str, role: Role | None, language: str, size: tuple[int, int]) -> BrowserContext:
    """A browser window in which somebody of this role is signed in."""
    width, height = size
    context = browser.new_context(
        base_url=server, locale=language, viewport={"width": width, "height": height}, reduced_motion="reduce"
    )
    if role is not None:
        form = {"name": role.value, "password": PASSWORD}
        assert context.request.post("/login", form=form, max_redirects=0).status == 303
    return context
