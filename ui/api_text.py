"""An answer as the text of a chat message: marks, then what a reader must know, then sources.

Interfaces such as Open WebUI show nothing of a message but its text, so doubts, sources and the
AI label stand there too. They also take text for Markdown, where 15~30 loses its tilde and
``![](http://…)`` fetches a picture: `escaped` makes text that they show to the character.
"""

import re
from collections.abc import Iterator

from rag.sentences import sentence_spans
from rag.types import Answer, Citation, State
from ui import api_texts, texts

_HINTS = {State.UNCERTAIN: texts.HINT_UNCERTAIN, State.NOT_FOUND: texts.HINT_NOT_FOUND}
_MARKS = re.compile(r"(?:\s*\[\d{1,3}\])+")
_MARKDOWN = re.compile(r"[\\`*_{}\[\]()#+=\-!|~$]|(?<=\d)\.(?=\s)")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_TAIL = f"\n\n{api_texts.SOURCES}\n"


def pieces(answer: Answer) -> Iterator[str]:
    """The answer's text, sentence by sentence, each with its marks; joined they are the text."""
    text, start = answer.text, 0
    for _, end in sentence_spans(text):
        marks = _MARKS.match(text, end)
        end = marks.end() if marks else end
        if end > start:
            yield text[start:end]
            start = end
    if start < len(text):
        yield text[start:]


def footnotes(answer: Answer) -> str:
    """What stands below the answer's text: doubts, sources, the AI label."""
    parts = []
    doubts = [*filter(None, [_HINTS.get(answer.state)]), *answer.notices]
    if doubts:
        parts.append("\n".join(api_texts.NOTICE.format(notice=doubt) for doubt in doubts))
    if answer.citations:
        lines = [_source(citation) for citation in answer.citations]
        parts.append("\n".join([api_texts.SOURCES, *lines]))
    parts.append(texts.AI_LABEL)
    return "".join(f"\n\n{part}" for part in parts)


def without_footnotes(text: str) -> str:
    """A message that came back as history, without what `footnotes` added."""
    for ending in (_TAIL, f"\n\n{texts.AI_LABEL}"):
        text = text.partition(ending)[0]
    return text


def escaped(text: str) -> str:
    """Text that a Markdown renderer shows to the character; line breaks stay line breaks."""
    text = re.sub(r"[&<>]", lambda found: _ENTITIES[found.group()], text)
    text = _MARKDOWN.sub(lambda found: f"\\{found.group()}", text)
    return re.sub(r"(?<!\n)\n(?!\n)", "  \n", text)


def _source(citation: Citation) -> str:
    place = [f"《{citation.title or texts.UNTITLED}》"]
    if citation.heading:
        place.append(citation.heading)
    if citation.page is not None:
        place.append(texts.PAGE.format(page=citation.page))
    if citation.source:
        place.append(citation.source)
    if citation.date:
        place.append(citation.date)
    quote = " ".join(citation.quote.split())
    return api_texts.SOURCE.format(mark=citation.mark, place="，".join(place), quote=quote)
