"""YAML into plain values, with the place in the file of every one of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

Path: TypeAlias = tuple[int | str, ...]
Place: TypeAlias = tuple[int, int]

MAX_VALUES = 500_000
MAX_DEPTH = 40
TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with the value at `path`.

    A fault of the text itself, such as wrong YAML, brings its own `place` and an empty path.
    `on_key` points at the key of the value rather than at the value.
    """

    path: Path
    message: str
    place: Place | None = None
    on_key: bool = False


@dataclass(slots=True)
class Document:
    """A parsed file: plain `data`, its nodes from the `root` on, where each value and key stands, and the faults of
    the text.

    Lines and columns count from 1. Values that came through an alias stand where their anchor is.
    """

    data: Any = None
    root: Node | None = None
    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def place(self, path: Path, *, on_key: bool = False) -> Place:
        """Where the value (or its key) at `path` stands; of what is not there, its nearest surroundings."""
        for end in range(len(path), -1, -1):
            found = self.keys.get(path[:end]) if on_key else None
            if found or (found := self.values.get(path[:end])):
                return found
        return 1, 1

    def value(self, path: Path) -> Any:
        """The value at `path`; None when it is not there."""
        data = self.data
        for step in path:
            try:
                data = data[step]
            except (KeyError, IndexError, TypeError):
                return None
        return data


_remembered: ContextVar[dict[str, Document] | None] = ContextVar("remembered", default=None)


@contextmanager
def parsed_once() -> Iterator[None]:
    """Within it, a text that is parsed again gives the document of the first time: a large file takes seconds."""
    token = _remembered.set({})
    try:
        yield
    finally:
        _remembered.reset(token)


def parse(text: str) -> Document:
    """Read one YAML 1.2 document; every fault of the text is in the answer, none is raised."""
    remembered = _remembered.get()
    if remembered is None:
        return _parse(text)
    if text not in remembered:
        remembered[text] = _parse(text)
    return remembered[text]


def _parse(text: str) -> Document:
    document = Document()
    reader = YAML(typ="safe", pure=True)
    reader.composer.warn_double_anchors = False  # the warning would quote the text
    try:
        node = reader.compose(text)
    except MarkedYAMLError as error:
        document.faults.append(_syntax_fault(error))
    except ReaderError as error:
        document.faults.append(_character_fault(text, error))
    except RecursionError:
        document.faults.append(Fault((), f"nested deeper than {MAX_DEPTH} levels", (1, 1)))
    except (YAMLError, ValueError, LookupError, AttributeError, TypeError, AssertionError, ArithmeticError):
        # the parser trips over some malformed escapes and directives with errors of its own making
        document.faults.append(Fault((), "this is not valid YAML", (1, 1)))
    else:
        if node is not None:
            document.root = node
            document.data = _Builder(document).build(node, ())
    return document


class _Builder:
    """Turns nodes into dicts, lists and scalars; bounds what aliases may blow up."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._count = 0

    def build(self, node: Node, path: Path) -> Any:
        place = (node.start_mark.line + 1, node.start_mark.column + 1)
        self._document.values[path] = place
        self._count += 1
        if self._count == MAX_VALUES:
            self._fault((), f"aliases repeat so much that more than {MAX_VALUES} values come out", node)
        if self._count >= MAX_VALUES:
            return None
        if len(path) > MAX_DEPTH:
            self._fault((), f"nested deeper than {MAX_DEPTH} levels, or an alias stands inside its own anchor", node)
            return None
        if isinstance(node, MappingNode) and node.tag == f"{TAG}map":
            return self._mapping(node, path)
        if isinstance(node, SequenceNode) and node.tag == f"{TAG}seq":
            return [self.build(child, (*path, index)) for index, child in enumerate(node.value)]
        if isinstance(node, ScalarNode) and str(node.tag).startswith(TAG):
            return self._scalar(node, path)
        self._fault(path, "a YAML tag (!word) is not read here; put text that begins with ! in quotes")
        return None

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        data: dict[str, Any] = {}
        first: dict[str, int] = {}
        for key_node, value_node in self._own_then_merged(node, path):
            if not isinstance(key_node, ScalarNode):
                self._fault(path, "a key must be plain text, not a list or a mapping", key_node)
                continue
            key = key_node.value
            inside = (*path, key)
            if key in data:
                if value_node in (value for _, value in node.value):
                    self._fault(inside, f"the key is there twice, first on line {first[key]}; keep one", key_node)
                continue
            first[key] = key_node.start_mark.line + 1
            self._document.keys[inside] = (first[key], key_node.start_mark.column + 1)
            data[key] = self.build(value_node, inside)
            if data[key] is None and not value_node.value:
                self._document.values[inside] = self._document.keys[inside]
        return data

    def _own_then_merged(self, node: MappingNode, path: Path, depth: int = 0) -> Iterator[tuple[Node, Node]]:
        """The mapping's own entries, then those it merges in by `<<`, which its own override."""
        merged: list[Node] = []
        for key, value in node.value:
            if key.tag == f"{TAG}merge":
                merged += value.value if isinstance(value, SequenceNode) else [value]
            else:
                yield key, value
        for source in merged:
            if not isinstance(source, MappingNode) or depth > MAX_DEPTH:
                self._fault(path, "`<<` merges only a mapping or a list of mappings", source)
                continue
            yield from self._own_then_merged(source, path, depth + 1)

    def _scalar(self, node: ScalarNode, path: Path) -> Any:
        kind, text = str(node.tag).removeprefix(TAG), str(node.value)
        if re.search("[\ud800-\udfff]", text):
            self._fault(path, "the text holds half a surrogate pair, which is no character")
            return None
        try:
            if kind == "int":
                return int(text.replace("_", ""), 0 if re.match(r"[-+]?0[box]", text) else 10)
            if kind == "float":
                return float(re.sub(r"(?i)^([-+]?)\.(inf|nan)$", r"\1\2", text.replace("_", "")))
        except ValueError:
            return text
        if kind == "bool":
            return text.lower() == "true"
        return None if kind == "null" else text

    def _fault(self, path: Path, message: str, node: Node | None = None) -> None:
        place = (node.start_mark.line + 1, node.start_mark.column + 1) if node else None
        self._document.faults.append(Fault(path, message, place))


HINTS = {
    r"found character '\\t'|tab": "a tab is used for indentation; YAML takes only spaces",
    r"undefined alias": "`*name` needs an anchor `&name` above; put text that begins with * in quotes",
    r"found character '[%@`]'": "a value cannot begin with % @ or `; put it in quotes",
    r"mapping values are not allowed": "`: ` is not expected here; indent the line like its neighbours, or put the "
    "text in quotes if it holds a colon",
    r"could not find expected ':'": "a key without its colon; write `key: value`",
    r"expected the node content": "a value is missing, or begins with a sign of YAML; put it in quotes",
    r"single document": "a second document begins with ---; keep everything in one",
    r"found unexpected end of stream": "a quotation mark is opened and not closed",
    r"unknown escape character": "an unknown escape in \"quotes\"; write \\\\ for a backslash, or use 'single quotes'",
    r"expected <block end>": "the indentation does not fit the lines above; line up keys and dashes of one level",
    r"expected ',' or": "a list [ ] or mapping { } is not closed or lacks a comma; it begins on line {line}",
    r"sequence entries are not allowed": "a list begins on a line of its own, or is written [a, b]",
}


def _syntax_fault(error: MarkedYAMLError) -> Fault:
    """In our own words, because the parser's may quote the text, and with it a secret."""
    text = f"{error.problem or ''} {error.context or ''}"
    begin, end = error.context_mark or error.problem_mark, error.problem_mark or error.context_mark
    mark = begin if "unexpected end" in text else end
    place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    hint = next((hint for pattern, hint in HINTS.items() if re.search(pattern, text)), "")
    hint = hint.replace("{line}", str(begin.line + 1) if begin else "?")
    return Fault((), f"this is not valid YAML: {hint}" if hint else "this is not valid YAML", place)


def _character_fault(text: str, error: ReaderError) -> Fault:
    position = max(0, min(int(error.position), len(text)))
    before = text[:position]
    place = (before.count("\n") + 1, position - before.rfind("\n"))
    code = ord(text[position : position + 1] or "\0")
    return Fault((), f"the control character U+{code:04X} cannot stand in YAML", place)
