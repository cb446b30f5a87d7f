"""Officers at the desk, as the load benchmark plays them: over HTTP, as a browser and a program would ask."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from time import perf_counter
from typing import Any, Self

import httpx

from benchmarks.desk_site import AGE, END, KINDS, PASSWORD, officer
from benchmarks.seeding import CAMERAS, DAYS, START, camera_id, misread
from pipeline.review import RejectionReason

FORM_TOKEN = re.compile(r'name="token" value="([0-9a-f]+)"')
VERSION = re.compile(r'name="version" value="(\d+)"')
PICTURES = re.compile(r'<img[^>]* src="(/api/v1/violations/[^"]+)"')
WAITING = (("state", "flagged"), ("state", "second_review"))
STATES = ("flagged", "second_review", "accepted", "rejected", "duplicate", "forwarded", "closed")
REASON = "case 2026-118"
GRACE = 60.0
Pairs = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Measured:
    """Milliseconds from asking to the last byte of each request, by what it was for; and what else came of it."""

    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[str] = field(default_factory=Counter)
    conflicts: int = 0
    cases: int = 0


class Reviewer:
    """One officer with a browser of their own. `pace` is how many seconds a case takes on average; 0 for as fast as
    the server answers."""

    def __init__(
        self, number: int, address: str, measured: Measured, plates: Sequence[str], *, pace: float, seed: int
    ) -> None:
        self._name = officer(number)
        self._measured = measured
        self._plates = plates
        self._pace = pace
        self._chance = random.Random(seed * 1000 + number)  # noqa: S311
        self._client = httpx.AsyncClient(base_url=address, timeout=GRACE)

    async def __aenter__(self) -> Self:
        """Sign in: nothing of the work, and slow by design."""
        answer = await self._client.post("/login", data={"name": self._name, "password": PASSWORD})
        if answer.status_code != 303 or not self._client.cookies:
            raise RuntimeError(f"{self._name} cannot sign in: {answer.status_code}")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def work(self, seconds: float) -> None:
        """Case after case, and in between a look at the queue or a search."""
        end, next_case = perf_counter() + seconds, "/review/next"
        await asyncio.sleep(self._chance.random() * self._pace)
        while perf_counter() < end:
            begin = perf_counter()
            try:
                next_case = await self._review(next_case)
                for look in (self._queue, self._filter, self._search, self._search_cases, self._look_up):
                    if self._chance.random() < 0.4:
                        await look()
            except httpx.HTTPError as error:
                self._measured.errors[f"{type(error).__name__} {error}".partition(" for url")[0]] += 1
                next_case = "/review/next"
            self._measured.cases += 1
            taken = perf_counter() - begin
            await asyncio.sleep(max(0.0, self._pace * self._chance.uniform(0.5, 1.5) - taken))

    async def _review(self, next_case: str) -> str:
        """Take the next case, look at it and decide; where the case after it is asked for."""
        found = await self._ask("next", next_case, expected=(303,))
        where = found.headers.get("location", "/")
        if not where.startswith("/violations/"):
            return "/review/next"
        page = await self._ask("case, page", where)
        for picture in PICTURES.findall(page.text)[:2]:
            await self._ask("picture", picture)
        token, version = FORM_TOKEN.search(page.text), VERSION.search(page.text)
        if token is None or version is None:  # decided by another meanwhile
            return "/review/next"
        violation, _, query = where.removeprefix("/violations/").partition("?")
        form = {"token": token[1], "version": version[1], **self._decision()}
        answer = await self._ask(
            "decide", f"/violations/{violation}/review?{query}", form=form, expected=(303, 409, 422)
        )
        if answer.status_code == 303:
            return answer.headers["location"]
        self._measured.conflicts += 1
        return f"/review/next?after={violation}"

    def _decision(self) -> dict[str, str]:
        if self._chance.random() < 0.7:
            return {"action": "reject", "reason": self._chance.choice(list(RejectionReason)).value, "note": "seen"}
        return {"action": "accept", "plate": self._chance.choice(self._plates)}

    async def _queue(self) -> None:
        """The list as the desk shows it, and some pages of it."""
        chosen = self._chance.choice([WAITING, WAITING[:1], (), self._some_filters()])
        answer = await self._ask(
            "queue, page", "/", [pair for pair in chosen if pair[0] in {"camera", "kind", "state"}]
        )
        for picture in self._chance.sample(found := PICTURES.findall(answer.text), min(2, len(found))):
            await self._ask("picture", picture)

    async def _filter(self) -> None:
        sort = self._chance.choice(["-start", "start", "-confidence"])
        page = await self._ask("queue, API", "/api/v1/violations", [*WAITING, ("sort", sort)])
        if cursor := page.json()["next"]:
            await self._ask("queue, API", "/api/v1/violations", [*WAITING, ("sort", sort), ("cursor", cursor)])
        await self._ask("filter, API", "/api/v1/violations", self._some_filters())

    async def _search(self) -> None:
        await self._ask("plate search, API", "/api/v1/plates", self._some_plate())

    async def _search_cases(self) -> None:
        wanted = [("plate", self._pattern()), ("reason", REASON), *self._some_filters()]
        await self._ask("plate in cases, API", "/api/v1/violations", wanted)

    async def _look_up(self) -> None:
        """A case from anywhere in the archive, as a program reads it."""
        day = END - AGE * self._chance.random()
        found = await self._ask("filter, API", "/api/v1/violations", [("until", day.isoformat()), ("limit", "10")])
        if items := found.json()["items"]:
            await self._ask("case, API", f"/api/v1/violations/{self._chance.choice(items)['id']}")

    def _some_filters(self) -> Pairs:
        """One to three filters that people combine."""
        chance = self._chance
        day = END - timedelta(days=chance.randrange(1, AGE.days))
        filters: list[Pairs] = [
            (("camera", camera_id(chance.randrange(CAMERAS))),),
            (("kind", chance.choice(list(KINDS))),),
            (("rule", chance.choice(list(KINDS))),),
            (("state", chance.choice(STATES)),),
            (("since", day.isoformat()), ("until", (day + timedelta(days=chance.choice([1, 7]))).isoformat())),
            (("confidence", chance.choice(["0.5", "0.9", "0.98"])),),
            (("assignee", chance.choice([self._name, ""])),),
            (("due_before", (END - timedelta(days=chance.randrange(20))).isoformat()),),
        ]
        return tuple(pair for pairs in chance.sample(filters, chance.randrange(1, 4)) for pair in pairs)

    def _pattern(self) -> str:
        """A plate, or so much of it as a witness remembers."""
        plate = self._chance.choice(self._plates)
        shapes = (plate, plate, plate[:5] + "*", plate[:3] + "*", "*" + plate[-4:], f"*{plate[-4:-1]}*",
                  f"{plate[:2]}?{plate[3:5]}?{plate[6:]}", f"{plate[:2]}*{plate[-2:]}")  # fmt: skip
        return self._chance.choice(shapes)

    def _some_plate(self) -> Pairs:
        chance, plate = self._chance, self._chance.choice(self._plates)
        if chance.random() < 0.5:
            wanted: Pairs = (("plate", self._pattern()),)
        else:
            wanted = (("plate", misread(plate, chance)), ("distance", chance.choice(["0.6", "1", "2"])))
        day = START + timedelta(days=chance.randrange(DAYS))
        narrower: list[Pairs] = [
            (), (), (("camera", camera_id(chance.randrange(CAMERAS))),), (("colour", "blue"),),
            (("since", day.isoformat()), ("until", (day + timedelta(days=1)).isoformat())),
        ]  # fmt: skip
        return (*wanted, ("reason", REASON), *chance.choice(narrower))

    async def _ask(
        self,
        name: str,
        path: str,
        query: Sequence[tuple[str, str]] = (),
        *,
        form: Mapping[str, Any] | None = None,
        expected: tuple[int, ...] = (200,),
    ) -> httpx.Response:
        begin = perf_counter()
        method = "GET" if form is None else "POST"
        answer = await self._client.request(method, path, params=list(query) or None, data=form)
        self._measured.times[name].append((perf_counter() - begin) * 1000)
        if answer.status_code not in expected:
            raise httpx.HTTPStatusError(
                f"{name}: {answer.status_code} {answer.text[:160]}", request=answer.request, response=answer
            )
        return answer
