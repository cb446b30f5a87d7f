"""streams.yaml as text that may be shown: without passwords, wherever in the file they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import unified_diff
from typing import Any

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from pipeline.config.document import Path, parse
from pipeline.config.render import block
from pipeline.config.secrets import HIDDEN, redact
from pipeline.config.yaml_text import YamlText

CONTEXT = 3
_TEMPLATE = re.compile(r"\$\{[^{}]*\}")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")
_NAMED = re.compile(r"(?i)((?:pass|pwd|secret|token|key|user|login)\w*[\"']?\s*[:=]\s*)\S+")
_HIDDEN_FIELDS = frozenset({"password", "user", "secret", "plate_key", "client_secret", "key"})


def shown(text: str) -> str:
    """The text with every login and secret replaced by ***, also in comments; `${NAME}` stays where it stands alone.

    A text that is not valid YAML is shown as nothing, since nobody can tell where its secrets are.
    """
    document = parse(text)
    if document.faults or document.root is None:
        return ""
    pieces, done = [], 0
    yaml = YamlText(text, document.root)
    for path, start, end in sorted(_scalars(yaml, document.root, ()), key=lambda found: found[1]):
        if start >= done:  # what an alias names has been shown at its anchor
            value = document.value(path)
            pieces += [_comment(text[done:start]), _value(path, value, text[start:end])]
            done = end
    return "".join((*pieces, _comment(text[done:])))


def difference(old: str, new: str) -> list[str]:
    """What changes from one text to the other, line by line as a unified diff without its head, fit to be shown.

    Each line begins with a space, + or -; a line that begins with @ stands before each part.
    """
    lines = unified_diff(shown(old).splitlines(), shown(new).splitlines(), lineterm="", n=CONTEXT)
    return [line for line in lines if not line.startswith(("---", "+++"))]


def _scalars(yaml: YamlText, node: Node, path: Path) -> Iterator[tuple[Path, int, int]]:
    for index, child in enumerate(yaml.children(node)):
        inside: Path = (*path, index if child.key is None else child.key)
        if isinstance(child.node, ScalarNode):
            yield inside, child.value, child.end
        elif isinstance(child.node, MappingNode | SequenceNode) and child.node.start_mark.index >= child.start:
            yield from _scalars(yaml, child.node, inside)


def _value(path: Path, value: object, written: str) -> str:
    if not isinstance(value, str) or not _may_hold_secrets(path):
        return written
    if path[-1] in _HIDDEN_FIELDS or "evidence_options" in path:
        alone = _TEMPLATE.fullmatch(value) and ":-" not in value
        return written if alone else HIDDEN
    if path[:2] == ("notifications", "targets"):
        return redact(value.partition("://")[0] + f"://{HIDDEN}") if path[-1] == "url" else written
    safe = redact(value)
    return written if safe == value else safe


def _may_hold_secrets(path: Path) -> bool:
    return path[:1] in {("storage",), ("notifications",)} or (path[:1] == ("cameras",) and path[2:3] == ("source",))


def _comment(text: str) -> str:
    """What stands between the values: commas, dashes, keys, and comments, in which an old address may stand."""
    if "#" not in text:
        return text
    lines = text.split("\n")
    return "\n".join(_without_secrets(line) if "#" in line else line for line in lines)


def _without_secrets(line: str) -> str:
    before, sign, comment = line.partition("#")
    comment = _ADDRESS.sub(lambda found: redact(found[0]), comment)
    return before + sign + _NAMED.sub(rf"\g<1>{HIDDEN}", comment)


def shown_camera(camera: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """A camera's entry as it stands in the file: its address without secrets, and the rest without its source."""
    source = camera.get("source")
    url = source.get("url") if isinstance(source, dict) else source
    return redact(url) if isinstance(url, str) else "", {key: value for key, value in camera.items() if key != "source"}


def excerpt(text: str, camera: str) -> str:
    """A camera's places and rules in this text as YAML to copy; "" where it is not there."""
    listed = parse(text).data["cameras"]
    entry: Mapping[str, Any] = next((entry for entry in listed if entry.get("id") == camera), {})
    return block({name: entry[name] for name in ("zones", "lanes", "ground", "rules") if entry.get(name)}, 0, 2)
