"""Changes values in the text of a YAML file and leaves every other character of it alone: comments, order, quotes.

A change is made where the parser says that a value stands, and counts only when the changed text reads as exactly the
data that was meant; see `spliced`.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, TypeAlias

from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, SequenceNode

from pipeline.config.document import Document, Path, parse
from pipeline.config.render import block, decimal, inline
from pipeline.config.yaml_text import Child, SpliceError, YamlText

Patch: TypeAlias = tuple[int, int, str]
"""Offset of the first character to be replaced and of the one after the last, and what comes there."""


@dataclass(frozen=True, slots=True)
class Put:
    """The value at `path` becomes `value`; a key that is not there is added, after those before it in `order`.

    In a list, `kept` says for each new entry which old one it was, None for one that is new; without it entries are
    paired as they are most alike. Kept entries stay in their order.
    """

    path: Path
    value: Any
    order: Sequence[str] = ()
    kept: Sequence[int | None] | None = None


@dataclass(frozen=True, slots=True)
class Append:
    """`value` is added to the end of the list at `path`."""

    path: Path
    value: Any


@dataclass(frozen=True, slots=True)
class Remove:
    """The key or entry at `path` goes, with the comments that stand directly above it."""

    path: Path


Edit: TypeAlias = Put | Append | Remove


def spliced(text: str, edits: Sequence[Edit]) -> str:
    """The text with the edits made; all their paths are those of `text`. No two may be about the same value.

    Raises:
        SpliceError: the text is no YAML, or its form does not let the edits be made in place.
    """
    if "\r\n" in text:
        return spliced(text.replace("\r\n", "\n"), edits).replace("\n", "\r\n")
    document = parse(text)
    if document.faults or not isinstance(document.root, Node):
        raise SpliceError("the file is not valid YAML as it stands")
    splicer = _Splicer(text, document, document.root)
    patches = [patch for edit in edits if not isinstance(edit, Remove) for patch in splicer.patches(edit)]
    patches += splicer.removals([edit.path for edit in edits if isinstance(edit, Remove)])
    patches.sort(key=_place)
    for start, end, new in reversed(patches):
        text = text[:start] + new + text[end:]
    changed = parse(text)
    if changed.faults or changed.data != expected(document.data, edits):
        raise SpliceError("the way in which the file is written does not let this be changed in place")
    return text


def _place(patch: Patch) -> tuple[int, int, int]:
    """Sorts patches by where they begin; of lines added at one place the deeper ones come first, as they end a list
    or mapping that stands there already."""
    start, end, new = patch
    return start, end, -len(re.match(r"\n? *(?:- )?", new)[0])  # type: ignore[index]  # it always matches


def expected(data: Any, edits: Iterable[Edit]) -> Any:
    """A copy of the data with the edits made."""
    data = copy.deepcopy(data)
    edits = list(edits)
    for edit in edits:
        holder = _at(data, edit.path[:-1])
        if isinstance(edit, Put):
            holder[edit.path[-1]] = copy.deepcopy(edit.value)
    for edit in edits:
        if isinstance(edit, Append):
            _at(data, edit.path).append(copy.deepcopy(edit.value))
    for edit in sorted((edit for edit in edits if isinstance(edit, Remove)), key=lambda edit: _rank(edit.path)):
        del _at(data, edit.path[:-1])[edit.path[-1]]
    return data


def _rank(path: Path) -> tuple[tuple[int, int], ...]:
    """Sorts the last entries of a list before the first, so that removing one moves none that is still to go."""
    return tuple((0, -step) if isinstance(step, int) else (1, 0) for step in path)


def _at(data: Any, path: Path) -> Any:
    for step in path:
        data = data[step]
    return data


class _Splicer:
    def __init__(self, text: str, document: Document, root: Node) -> None:
        self._yaml = YamlText(text, root)
        self._document = document
        self._indent = self._yaml.sequence_indent(root)

    def removals(self, paths: Sequence[Path]) -> Iterator[Patch]:
        for parent in dict.fromkeys(path[:-1] for path in paths):
            node = self._yaml.node(parent)
            inner = self._yaml.children(node)
            steps = {path[-1] for path in paths if path[:-1] == parent}
            found = [index for index, child in enumerate(inner) if not steps.isdisjoint({child.key, index})]
            if len(found) < len(steps):
                raise SpliceError("what is to go does not stand here itself")
            yield from self._remove_all(node, inner, found)

    def patches(self, edit: Put | Append) -> Iterator[Patch]:
        if isinstance(edit, Append):
            node = self._yaml.node(edit.path)
            yield self._insert(node, len(node.value), edit.value)
            return
        parent = self._yaml.node(edit.path[:-1])
        children = self._yaml.children(parent)
        step = edit.path[-1]
        index = next((i for i, child in enumerate(children) if step in (child.key, i)), None)
        if index is None:
            yield self._insert_key(parent, children, str(step), edit)
        else:
            yield from self._turn(children[index], self._document.value(edit.path), edit.value, edit.kept)

    def _turn(self, child: Child, old: Any, new: Any, kept: Sequence[int | None] | None = None) -> Iterator[Patch]:
        """From the old value to the new one with as little change of the text as can be."""
        node = child.node
        if old == new and isinstance(old, bool) == isinstance(new, bool):
            return
        aliased = node.start_mark.index < child.start
        inner = self._yaml.children(node)
        nothing_stays = isinstance(new, dict) and not any(part.key in new for part in inner)
        if (
            isinstance(old, dict)
            and isinstance(new, dict)
            and isinstance(node, MappingNode)
            and not (aliased or (nothing_stays and (node.flow_style or self._shares_its_line(inner[0]))))
        ):
            for part in inner:
                if part.key in new:
                    yield from self._turn(part, old.get(part.key), new[part.key])
            gone = [index for index, part in enumerate(inner) if part.key not in new]
            yield from self._remove_all(node, inner, gone)
            for key in [key for key in new if key not in [part.key for part in inner]]:
                yield self._insert_key(node, inner, key, Put((key,), new[key]))
        elif isinstance(old, list) and isinstance(new, list) and old and new and not aliased:
            yield from self._turn_list(node, old, new, _paired(old, new) if kept is None else kept)
        else:
            apart = " " if self._yaml.text[child.value - 1] == ":" else ""
            in_list = child.key is None and isinstance(new, float)
            yield child.value, child.end, apart + (decimal(new) if in_list else inline(new))

    def _turn_list(self, node: Node, old: list[Any], new: list[Any], kept: Sequence[int | None]) -> Iterator[Patch]:
        if not isinstance(node, SequenceNode):
            raise SpliceError("a list is needed here")
        if all(index is None for index in kept):
            kept = [0, *kept[1:]]  # there must be something to stand beside
        inner = self._yaml.children(node)
        first = next(index for index in kept if index is not None)
        after = None
        added: list[Any] = []
        for value, index in zip(new, kept, strict=True):
            if index is None:
                added.append(value)
                continue
            yield from self._turn(inner[index], old[index], value)
            if added:
                yield self._insert(node, first if after is None else after + 1, *added)
            after, added = index, []
        if added and after is not None:
            yield self._insert(node, after + 1, *added)
        yield from self._remove_all(node, inner, set(range(len(old))) - set(kept))

    def _insert(self, node: CollectionNode, index: int, *values: Any) -> Patch:
        """Put entries before the one of this index of a list."""
        inner = self._yaml.children(node)
        if node.flow_style:
            told = ", ".join(inline(value) for value in values)
            return self._insert_flow(node, inner, index, told)
        column = self._yaml.column(self._yaml.dash(inner[0]))
        lines = "\n".join(" " * column + "- " + block(value, column + 2, self._indent) for value in values)
        if index:
            place = self._yaml.line_end(inner[index - 1].end)
            return place, place, "\n" + lines
        place = self._yaml.dash(inner[0])
        return place, place, lines[column:] + "\n" + " " * column

    def _insert_key(self, node: CollectionNode, inner: list[Child], key: str, edit: Put) -> Patch:
        before = edit.order[: edit.order.index(key)] if key in edit.order else [child.key for child in inner]
        index = max((i + 1 for i, child in enumerate(inner) if child.key in before), default=len(inner))
        if node.flow_style:
            return self._insert_flow(node, inner, index, f"{inline(key)}: {inline(edit.value)}")
        column = self._yaml.column(inner[0].start)
        place = self._yaml.line_end(inner[index - 1].end)
        return place, place, "\n" + " " * column + block({key: edit.value}, column, self._indent)

    def _insert_flow(self, node: CollectionNode, inner: list[Child], index: int, told: str) -> Patch:
        if not inner:
            place = node.end_mark.index - 1
            return place, place, told
        if index:
            place = inner[index - 1].end
            return place, place, f", {told}"
        return inner[0].start, inner[0].start, f"{told}, "

    def _shares_its_line(self, child: Child) -> bool:
        """Whether something else stands before the entry on its line, as the dash of a list that its mapping is in."""
        begin = self._yaml.dash(child) if child.key is None else child.start
        line = self._yaml.text.rfind("\n", 0, begin) + 1
        return bool(self._yaml.text[line:begin].strip())

    def _remove_all(self, node: CollectionNode, inner: list[Child], indexes: Iterable[int]) -> Iterator[Patch]:
        return (self._remove(node, inner, start, end) for start, end in _runs(indexes))

    def _remove(self, node: CollectionNode, inner: list[Child], start: int, end: int) -> Patch:
        """Take away the entries from `start` to before `end`."""
        child, last = inner[start], inner[end - 1]
        following = inner[end] if end < len(inner) else None
        if node.flow_style:
            if following:
                return child.start, following.start, ""
            return (inner[start - 1].end if start else child.start), last.end, ""
        begin = self._yaml.dash(child) if child.key is None else child.start
        line = self._yaml.text.rfind("\n", 0, begin) + 1
        if self._shares_its_line(child):
            if following is None:
                raise SpliceError("the only entry of this line cannot be taken away")
            return begin, self._yaml.dash(following) if child.key is None else following.start, ""
        line = self._yaml.above(line, begin - line)
        close = self._yaml.line_end(last.end)
        if self._yaml.text[:line].endswith("\n\n") and self._yaml.text[close + 1 : close + 2] in {"", "\n"}:
            line -= 1  # one of two empty lines
        return (line, close + 1, "") if close < len(self._yaml.text) else (max(0, line - 1), close, "")


def _paired(old: list[Any], new: list[Any]) -> list[int | None]:
    """For each new entry the old one that it most likely was: those that are the same, and those between them."""
    if len(old) == len(new):
        return list(range(len(old)))
    before, after = ([json.dumps(entry, sort_keys=True) for entry in entries] for entries in (old, new))
    kept: list[int | None] = [None] * len(new)
    for _, start, end, new_start, new_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        for offset in range(min(end - start, new_end - new_start)):
            kept[new_start + offset] = start + offset
    return kept


def _runs(indexes: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Stretches of neighbouring indexes: the first, and the one after the last."""
    start = end = -1
    for index in sorted(indexes):
        if index != end:
            if end > start:
                yield start, end
            start = index
        end = index + 1
    if end > start:
        yield start, end
