"""Where in a YAML text its keys and entries stand, by what the parser tells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

from pipeline.config.document import Path

_ALIAS = re.compile(r"\*[^\s,\[\]{}]+")


class SpliceError(ValueError):
    """A change cannot be made in this text, as where a value is shared by an anchor."""


@dataclass(frozen=True, slots=True)
class Child:
    """One entry of a collection: its key, None in a list, its node, and where in the text it stands.

    `start` is that of its key or itself; `value` where its value begins and `end` where its text ends.
    """

    key: str | None
    node: Node
    start: int
    value: int
    end: int


class YamlText:
    """A text and its root node. Places are offsets of characters."""

    def __init__(self, text: str, root: Node) -> None:
        self.text = text
        self.root = root

    def node(self, path: Path) -> CollectionNode:
        """The list or mapping at `path`. Raises SpliceError where none stands."""
        node = self.root
        for step in path:
            found = [child.node for i, child in enumerate(self.children(node)) if step in (child.key, i)]
            if not found:
                raise SpliceError(f"{step} does not stand here itself")
            node = found[0]
        if not isinstance(node, CollectionNode):
            raise SpliceError("a list or mapping is needed here")
        return node

    def above(self, line: int, column: int) -> int:
        """Where the comments begin that stand directly above a line, as far in as it is."""
        while line:
            before = self.text.rfind("\n", 0, line - 1) + 1
            if not self.text[before:line].startswith(" " * column + "#"):
                break
            line = before
        return line

    def children(self, node: Node) -> list[Child]:
        """The entries of a list or mapping, in order; none of a scalar."""
        if isinstance(node, MappingNode):
            return list(self._entries([(key, value) for key, value in node.value], node.start_mark.index))
        if isinstance(node, SequenceNode):
            return list(self._entries([(None, value) for value in node.value], node.start_mark.index))
        return []

    def _entries(self, pairs: Iterable[tuple[Node | None, Node]], cursor: int) -> Iterator[Child]:
        for key, node in pairs:
            start = None
            if key is not None:
                start, cursor = self._span(key, cursor)
                cursor = self.text.index(":", cursor) + 1
            value, end = self._span(node, cursor)
            name = str(key.value) if isinstance(key, ScalarNode) else None
            yield Child(name, node, value if start is None else start, value, end)
            cursor = end

    def _span(self, node: Node, cursor: int) -> tuple[int, int]:
        """Where the node's text begins and ends, looked for from `cursor` on."""
        if node.start_mark.index < cursor:  # it stands elsewhere, under its anchor, and an alias here
            if (found := _ALIAS.search(self.text, cursor)) is None:
                raise SpliceError("a value is written in a way that is not understood")
            return found.span()
        if isinstance(node, ScalarNode) and not node.value and node.style is None:
            return cursor, cursor  # nothing is written
        if isinstance(node, CollectionNode) and not node.flow_style and node.value:
            return node.start_mark.index, self.children(node)[-1].end
        start, end = node.start_mark.index, node.end_mark.index
        while end > start and self.text[end - 1].isspace():
            end -= 1  # a block of lines ends behind its line break
        return start, end

    def dash(self, child: Child) -> int:
        """Where the dash before an entry of a list stands."""
        return self.text.rindex("-", 0, child.start)

    def column(self, place: int) -> int:
        """How far in a place stands on its line."""
        return place - (self.text.rfind("\n", 0, place) + 1)

    def line_end(self, place: int) -> int:
        """Where the line of a place ends, before its line break."""
        found = self.text.find("\n", place)
        return len(self.text) if found < 0 else found

    def sequence_indent(self, node: Node) -> int:
        """How far the file indents the dashes of a list from its key: 0 or more."""
        for key, value in node.value if isinstance(node, MappingNode) else ():
            if isinstance(value, SequenceNode) and not value.flow_style and value.value:
                return max(0, int(value.start_mark.column - key.start_mark.column))
        return 2
