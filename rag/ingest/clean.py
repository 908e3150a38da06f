"""Repair of what crawling, conversion and old encodings did to a text, with the way back.

Each step is a pure function from text to edits with a switch of its own; the steps run in the
order of `STEPS`, each on what the one before left, and their offset maps compose into one from
the cleaned text to the reader's. Traditional script is not touched: quotes keep the script of
their document, matching folds it (`rag.chinese`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from rag.ingest.boilerplate import remove_boilerplate
from rag.ingest.byte_shift import repair_byte_shifts
from rag.ingest.control_characters import remove_control_characters
from rag.ingest.pinyin_glosses import remove_pinyin_glosses
from rag.ingest.punctuation import widen_punctuation
from rag.offsets import Edit, OffsetMap, apply
from rag.types import Block, PageStart, SourceText

Step = Callable[[str], list[Edit]]

# Glosses come after the byte repair, which needs what is left of them; punctuation after both,
# because misread bytes hide behind half-width marks.
STEPS: Mapping[str, Step] = {
    "control_characters": remove_control_characters,
    "byte_shift": repair_byte_shifts,
    "pinyin_glosses": remove_pinyin_glosses,
    "punctuation": widen_punctuation,
    "boilerplate": remove_boilerplate,
}


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A cleaned text; ``offsets`` leads to the reader's text, ``counts`` has the number of edits
    of every step that ran, by its name."""

    text: str
    offsets: OffsetMap
    blocks: tuple[Block, ...]
    pages: tuple[PageStart, ...]
    counts: Mapping[str, int]


def clean(
    source: SourceText,
    *,
    control_characters: bool = True,
    byte_shift: bool = True,
    pinyin_glosses: bool = True,
    punctuation: bool = True,
    boilerplate: bool = True,
) -> Cleaned:
    """Run the wanted steps over a text; blocks and pages move with it, empty blocks vanish."""
    wanted = {
        "control_characters": control_characters,
        "byte_shift": byte_shift,
        "pinyin_glosses": pinyin_glosses,
        "punctuation": punctuation,
        "boilerplate": boilerplate,
    }
    text = source.text
    offsets = OffsetMap.identity(len(text))
    blocks, pages = source.blocks, source.pages
    counts = {}
    for name, step in STEPS.items():
        if not wanted[name]:
            continue
        edits = step(text)
        counts[name] = len(edits)
        if edits:
            text, step_offsets = apply(text, edits)
            offsets = offsets.then(step_offsets)
            blocks = _move_blocks(blocks, step_offsets, text)
            pages = _move_pages(pages, step_offsets)
    blocks = tuple(block for block in blocks if text[block.start : block.end].strip())
    return Cleaned(text, offsets, blocks, pages, counts)


def _move_blocks(blocks: tuple[Block, ...], offsets: OffsetMap, text: str) -> tuple[Block, ...]:
    moved = []
    previous = 0
    for block in blocks:
        start = max(previous, offsets.to_edited(block.start))
        end = max(start, offsets.to_edited(block.end))
        if text[start:end].strip():
            moved.append(replace(block, start=start, end=end))
            previous = end
    return tuple(moved)


def _move_pages(pages: tuple[PageStart, ...], offsets: OffsetMap) -> tuple[PageStart, ...]:
    """Pages keep their numbers; several that lost all their text may start at one place."""
    return tuple(replace(page, start=offsets.to_edited(page.start)) for page in pages)
