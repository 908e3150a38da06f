"""An export as Markdown that every renderer shows to the character.

Markdown would strike out ``15~30…20~40`` and swallow the stars of ``5*3*2``: what could be
markup is escaped. The metadata string is a comment on the first line.
"""

import re
from typing import Final

from rag.export import label
from rag.export.content import Block, Exported, Kind, blocks

_PREFIX: Final = {
    Kind.TITLE: "# ",
    Kind.LABEL: "> ",
    Kind.HEADING: "## ",
    Kind.SUBHEADING: "### ",
    Kind.WARNING: "> ",
    Kind.QUOTE: "> ",
}
_ANYWHERE = re.compile(r"[\\`*_~\[\]|$^]|:(?=[A-Za-z0-9_+-]+:)|=(?==)|(?<==)=")
# What opens a heading, list, rule or code block where a line begins.
_AT_START = re.compile(r"^([#+=-]|\d{1,9}(?=[.)]))")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_EDGE = re.compile(r"^[ \t]+|[ \t]+$")


def write(exported: Exported) -> str:
    """The whole file."""
    # A comment ends at "-->", which JSON can write without ">".
    properties = label.metadata(exported.provenance).replace(">", "\\u003e")
    parts = [f"<!-- {properties} -->", *map(_paragraph, blocks(exported))]
    parts.append(f"> {escape(exported.texts.label)}")
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
    """One line as Markdown that shows exactly that line."""
    edges = [found.span() for found in _EDGE.finditer(text)]
    first = edges[0][1] if edges and edges[0][0] == 0 else 0
    last = edges[-1][0] if edges and edges[-1][1] == len(text) else len(text)
    if first >= last:
        return _spaces(text)
    inner = "".join(_ENTITIES.get(one, one) for one in text[first:last])
    inner = _ANYWHERE.sub(lambda found: f"\\{found[0]}", inner)
    inner = _AT_START.sub(lambda f: f"{f[0]}\\" if f[0].isdigit() else f"\\{f[0]}", inner)
    return _spaces(text[:first]) + inner + _spaces(text[last:])


def _spaces(text: str) -> str:
    return "".join(f"&#{ord(one)};" for one in text)


def _paragraph(block: Block) -> str:
    prefix = _PREFIX.get(block.kind, "")
    lines = _lines(block)
    # A backslash at a line's end is a line break, but not where the paragraph ends.
    broken = [
        line + "\\" if line and following else line
        for line, following in zip(lines, [*lines[1:], ""], strict=True)
    ]
    joint = "\n" + (prefix if prefix == "> " else "")
    return prefix + joint.join(broken)


def _lines(block: Block) -> list[str]:
    if block.strong is None:
        return [escape(line) for line in block.text.split("\n")]
    start, end = block.strong
    before, strong, after = block.text[:start], block.text[start:end], block.text[end:]
    # Stars next to punctuation or space are not emphasis in CommonMark.
    if "\n" in strong or not (strong[:1].isalnum() and strong[-1:].isalnum()):
        return [escape(line) for line in block.text.split("\n")]
    head, foot = before.split("\n"), after.split("\n")
    middle = f"{escape(head[-1])}**{escape(strong)}**{escape(foot[0])}"
    return [*map(escape, head[:-1]), middle, *map(escape, foot[1:])]
