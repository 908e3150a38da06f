"""Kept conversations as the page shows them: JSON whose HTML is escaped by `ui.render`."""

from collections.abc import Mapping
from typing import Any

from rag.conversations.kept import Conversation, Feedback, Found, Page, Turn
from ui import render, render_sources, texts
from ui.chat_desk import ChatDesk
from ui.chat_sources import shown_sources
from ui.language import say


def list_json(page: Page) -> dict[str, Any]:
    """One page of the list; a conversation in which nothing was answered yet is left out."""
    shown = [conversation_json(one) for one in page.conversations if one.turns]
    return {"conversations": shown, "following": page.following}


def conversation_json(conversation: Conversation) -> dict[str, Any]:
    return {
        "id": conversation.id,
        "title": conversation.title or say(texts.UNTITLED_CONVERSATION),
        "updated": conversation.updated,
        "turns": conversation.turns,
    }


def found_json(found: Found) -> dict[str, Any]:
    return {**conversation_json(found.conversation), "excerpt": found.excerpt}


def opened_json(desk: ChatDesk, person: str, conversation: str) -> dict[str, Any]:
    """A whole conversation, its citations held against the documents of today.

    Raises:
        ConversationMissing: it is not that person's.
    """
    about = desk.conversations.get(person, conversation)
    said = desk.feedback.of_conversation(person, conversation)
    turns = desk.conversations.turns(person, conversation)
    return {**conversation_json(about), "entries": [_turn_json(desk, one, said) for one in turns]}


def _turn_json(desk: ChatDesk, kept: Turn, said: Mapping[str, Feedback]) -> dict[str, Any]:
    answer, name = kept.answer, f"t{kept.id}"
    shown = shown_sources(answer, desk.assistant.document, {})
    form = render.answer_html if answer.finished else render.stopped_html
    feedback = said.get(kept.id)
    return {
        "turn": name,
        "kept": kept.id,
        "phase": "finished" if answer.finished else "stopped",
        "question": answer.question,
        "body": form(answer, name),
        "sources": render_sources.sources_html(
            answer, name, shown, with_pages=desk.abilities.library
        ),
        "copy": render.clipboard_text(answer),
        "rating": feedback.rating.value if feedback else "",
    }
