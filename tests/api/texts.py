"""The texts of a page, as its reader meets them."""

from __future__ import annotations

from html.parser import HTMLParser

READ = ("title", "aria-label", "placeholder", "alt")
HIDDEN = frozenset({"code", "kbd", "pre", "script", "style"})
BARE = frozenset({"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"})


class Texts(HTMLParser):
    """What a reader sees or hears of a page in its own language."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open: list[tuple[str, bool]] = []

    @classmethod
    def of(cls, page: str) -> list[str]:
        texts = cls()
        texts.feed(page)
        return texts.found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.found += [text for name in READ if (text := given.get(name))]
        if tag not in BARE:
            self._open.append((tag, tag in HIDDEN or (tag != "html" and "lang" in given)))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not any(hidden for _, hidden in self._open):
            self.found.append(data)
