"""The sources panel of an answer: each citation with title, place, date and surroundings; pure."""

from collections.abc import Mapping

from rag.conversations.standing import Standing
from rag.types import Answer, Citation
from ui import texts
from ui.chat_sources import Key, Shown
from ui.escape import escape
from ui.language import say

_STANDINGS = {
    Standing.CHANGED: texts.SOURCE_CHANGED,
    Standing.GONE: texts.SOURCE_GONE,
}


def sources_html(
    answer: Answer, turn: str, shown: Mapping[Key, Shown], *, with_pages: bool = False
) -> str:
    """The sources panel of one answer; ``shown`` by (document, start, end). ``with_pages`` offers
    the page itself where the source is a PDF."""
    if not answer.citations:
        return (
            f'<p class="sources-empty">{escape(say(texts.SOURCES_NONE))}</p>'
            if answer.finished
            else ""
        )
    count = escape(say(texts.SOURCES_COUNT, count=len(answer.citations)))
    parts = [
        f'<h3 class="sources-title">{escape(say(texts.SOURCES_TITLE))} <span>{count}</span></h3>'
    ]
    seen: set[int] = set()
    for citation in sorted(answer.citations, key=lambda one: (one.mark, one.start)):
        key = (citation.document, citation.start, citation.end)
        anchor = "" if citation.mark in seen else f' id="{turn}-source-{citation.mark}"'
        seen.add(citation.mark)
        parts.append(_source(citation, turn, anchor, shown.get(key), with_pages))
    return "".join(parts)


def place_of(citation: Citation) -> list[str]:
    """Section, page and date of a citation, those that are known."""
    sections = citation.heading.split(" > ") if citation.heading else []
    if sections and sections[0] == citation.title:
        del sections[0]
    parts = [" › ".join(sections)] if sections else []
    if citation.page is not None:
        parts.append(say(texts.PAGE, page=citation.page))
    if citation.date:
        parts.append(citation.date)
    return parts


def _quote(citation: Citation) -> str:
    """The quote, the words that answer emphasized where the reader named them."""
    if citation.focus is None:
        return escape(citation.quote)
    start, end = (place - citation.start for place in citation.focus)
    quote = citation.quote
    before, focus, after = (escape(part) for part in (quote[:start], quote[start:end], quote[end:]))
    return f"{before}<strong>{focus}</strong>{after}"


def _source(
    citation: Citation, turn: str, anchor: str, shown: Shown | None, with_pages: bool
) -> str:
    title = citation.title or say(texts.UNTITLED)
    label = escape(say(texts.MARK_LABEL, mark=citation.mark, title=title))
    place = " · ".join(f"<span>{escape(part)}</span>" for part in place_of(citation))
    parts = [
        f'<section class="source"{anchor} tabindex="-1" aria-label="{label}">'
        f'<div class="source-head"><span class="source-mark" aria-hidden="true">{citation.mark}'
        f'</span><div><h4 lang="zh-CN">{escape(title)}</h4><p class="place">{place}</p></div></div>'
    ]
    excerpt = shown.excerpt if shown is not None else None
    if excerpt is None:
        line = _STANDINGS.get(shown.standing) if shown is not None else None
        parts.append(
            f'<blockquote class="text" lang="zh-CN"><mark>{_quote(citation)}</mark></blockquote>'
            f'<p class="note note-warning">{escape(say(line or texts.EXCERPT_UNAVAILABLE))}</p>'
        )
    else:
        before = ("…" if excerpt.clipped_before else "") + escape(excerpt.before)
        after = escape(excerpt.after) + ("…" if excerpt.clipped_after else "")
        parts.append(
            f'<blockquote class="text" lang="zh-CN">{before}<mark>{_quote(citation)}</mark>{after}</blockquote>'
        )
    if citation.original and citation.original != citation.quote:
        parts.append(
            f'<details class="original"><summary>{escape(say(texts.SHOW_ORIGINAL))}</summary>'
            f'<p class="small">{escape(say(texts.ORIGINAL_NOTE))}</p>'
            f'<div class="text" lang="zh-CN">{escape(citation.original)}</div></details>'
        )
    if citation.source:
        parts.append(f'<p class="small">{escape(say(texts.SOURCE, source=citation.source))}</p>')
    if with_pages and excerpt is not None:
        parts.append(_page_button(citation, title))
    parts.append(
        f'<a class="back" href="#{turn}-mark-{citation.mark}">{escape(say(texts.BACK_TO_ANSWER))}</a>'
        "</section>"
    )
    return "".join(parts)


def _page_button(citation: Citation, title: str) -> str:
    """Opens the page of a PDF, "" for other documents."""
    if citation.page is None or not citation.document.lower().endswith(".pdf"):
        return ""
    return (
        f'<button type="button" class="open-page" data-document="{escape(citation.document)}" '
        f'data-page="{citation.page}" data-title="{escape(title)}">'
        f"{escape(say(texts.OPEN_PAGE, page=citation.page))}</button>"
    )
