"""The way back from the JSON of `rag.wire`: what was stored or sent becomes an `Answer` again.

Fields that an older version did not write take their defaults, fields that a newer one added are
left alone. A passage's ``id`` is an index's own and does not travel: it comes back as 0.
"""

from collections.abc import Mapping
from typing import Any

from rag.types import Answer, Citation, Hit, Passage, Reading, Sentence, Span, State, Verdict


def answer_from_json(values: Mapping[str, Any]) -> Answer:
    """The twin of `rag.wire.answer_to_json`; floats are as that one rounded them.

    Raises:
        KeyError, ValueError: not an answer: ``question``, ``state`` or ``text`` missing or unknown.
    """
    return Answer(
        question=values["question"],
        search_question=values.get("search_question", values["question"]),
        state=State(values["state"]),
        text=values["text"],
        sentences=tuple(map(_sentence, values.get("sentences", ()))),
        citations=tuple(map(citation_from_json, values.get("citations", ()))),
        hits=tuple(map(hit_from_json, values.get("hits", ()))),
        model=values.get("model", ""),
        timings=dict(values.get("timings", {})),
        thinking=values.get("thinking", ""),
        notices=tuple(values.get("notices", ())),
        finished=values.get("finished", True),
        confidence=values.get("confidence", 0.0),
        prompt_tokens=values.get("prompt_tokens", 0),
        trimmed=values.get("trimmed", 0),
        output_tokens=values.get("output_tokens", 0),
        span=values.get("span", ""),
    )


def citation_from_json(values: Mapping[str, Any]) -> Citation:
    """The twin of `rag.wire.citation_to_json`."""
    focus = values.get("focus")
    return Citation(
        mark=values["mark"],
        document=values["document"],
        title=values["title"],
        start=values["start"],
        end=values["end"],
        quote=values["quote"],
        page=values.get("page"),
        original=values.get("original", ""),
        source=values.get("source", ""),
        date=values.get("date", ""),
        heading=values.get("heading", ""),
        focus=None if focus is None else (focus[0], focus[1]),
    )


def hit_from_json(values: Mapping[str, Any]) -> Hit:
    """The twin of `rag.wire.hit_to_json`, which does not write a hit's source and date."""
    passage = Passage(
        document=values["document"],
        start=values["start"],
        end=values["end"],
        text=values["text"],
        heading=values.get("heading", ""),
        page=values.get("page"),
    )
    return Hit(
        passage=passage,
        title=values["title"],
        score=values["score"],
        dense=values.get("dense", 0.0),
        keyword=values.get("keyword", 0.0),
        source=values.get("source", ""),
        date=values.get("date", ""),
        reading=_reading(values.get("reading")),
    )


def _reading(values: Mapping[str, Any] | None) -> Reading | None:
    if values is None:
        return None
    spans = tuple(Span(start, end, share) for start, end, share in values["spans"])
    return Reading(values["relevance"], values["answerable"], spans)


def _sentence(values: Mapping[str, Any]) -> Sentence:
    return Sentence(
        text=values["text"],
        citations=tuple(values.get("citations", ())),
        verdict=Verdict(values.get("verdict", Verdict.UNCHECKED)),
        mismatches=tuple(values.get("mismatches", ())),
        reasons=tuple(values.get("reasons", ())),
    )
