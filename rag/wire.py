"""The one JSON shape of answers, hits and reports: scripts lean on it.

Field names are a contract; fields may be added, never renamed.
"""

from typing import Any

from rag.indexer import IndexReport
from rag.types import Answer, Citation, Hit, Reading


def hit_to_json(hit: Hit) -> dict[str, Any]:
    """A retrieved passage; ``start`` and ``end`` point into the cleaned document."""
    passage = hit.passage
    return {
        "document": passage.document,
        "title": hit.title,
        "start": passage.start,
        "end": passage.end,
        "page": passage.page,
        "heading": passage.heading,
        "source": hit.source,
        "date": hit.date,
        "score": round(hit.score, 6),
        "dense": round(hit.dense, 6),
        "keyword": round(hit.keyword, 6),
        "text": passage.text,
        "reading": _reading_to_json(hit.reading),
    }


def _reading_to_json(reading: Reading | None) -> dict[str, Any] | None:
    """What the reader found in a passage: logits, and spans of the passage's text."""
    if reading is None:
        return None
    return {
        "relevance": round(reading.relevance, 4),
        "answerable": round(reading.answerable, 4),
        "spans": [[s.start, s.end, round(s.probability, 4)] for s in reading.spans],
    }


def citation_to_json(citation: Citation) -> dict[str, Any]:
    """A citation; ``original`` is what the file says where ``quote`` was cleaned."""
    return {
        "mark": citation.mark,
        "document": citation.document,
        "title": citation.title,
        "start": citation.start,
        "end": citation.end,
        "quote": citation.quote,
        "page": citation.page,
        "original": citation.original,
        "heading": citation.heading,
        "source": citation.source,
        "date": citation.date,
        "focus": list(citation.focus) if citation.focus else None,
    }


def answer_to_json(answer: Answer) -> dict[str, Any]:
    """A whole answer; timings are seconds since the question was asked."""
    return {
        "question": answer.question,
        "search_question": answer.search_question,
        "state": answer.state.value,
        "text": answer.text,
        "span": answer.span,
        "sentences": [
            {
                "text": sentence.text,
                "citations": list(sentence.citations),
                "verdict": sentence.verdict.value,
                "mismatches": list(sentence.mismatches),
                "reasons": list(sentence.reasons),
            }
            for sentence in answer.sentences
        ],
        "citations": [citation_to_json(citation) for citation in answer.citations],
        "hits": [hit_to_json(hit) for hit in answer.hits],
        "model": answer.model,
        "thinking": answer.thinking,
        "notices": list(answer.notices),
        "confidence": round(answer.confidence, 4),
        "prompt_tokens": answer.prompt_tokens,
        "trimmed": answer.trimmed,
        "output_tokens": answer.output_tokens,
        "finished": answer.finished,
        "timings": {name: round(seconds, 4) for name, seconds in answer.timings.items()},
    }


def report_to_json(report: IndexReport) -> dict[str, Any]:
    """What `rag index` did."""
    return {
        "added": list(report.added),
        "updated": list(report.updated),
        "removed": list(report.removed),
        "unchanged": report.unchanged,
        "failures": [
            {"path": failure.path, "reason": failure.reason, "remedy": failure.remedy}
            for failure in report.failures
        ],
        "notices": list(report.notices),
        "documents": report.documents,
        "passages": report.passages,
        "published": report.published,
        "seconds": round(report.seconds, 3),
    }
