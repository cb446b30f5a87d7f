"""The links at the top of each page: a page shows where the access table admits the reader's role to its route."""

from __future__ import annotations

from dataclasses import dataclass

from api.auth.access import ACCESS
from pipeline.store import Role


@dataclass(frozen=True, slots=True)
class Link:
    """`title` is the English text, a key of the other languages."""

    path: str
    title: str


def _(title: str) -> str:
    """Marks a text for translation where the template shows it."""
    return title


DAILY = (
    Link("/", _("Violations")),
    Link("/plates", _("Plates")),
    Link("/cameras", _("Cameras")),
    Link("/wall", _("Live wall")),
    Link("/map", _("Map")),
    Link("/dashboard", _("Dashboard")),
    Link("/reports", _("Reports")),
)
FURTHER = (
    Link("/precision", _("Precision")),
    Link("/watchlists", _("Watchlists")),
    Link("/alerts", _("Alerts")),
    Link("/users", _("Users")),
    Link("/audit", _("Audit trail")),
)


def links_for(role: Role, links: tuple[Link, ...]) -> list[Link]:
    """Those of the links that the role may open."""
    return [link for link in links if role in (ACCESS.get(("GET", link.path)) or ())]
