"""A desk for the chat's tests: real stores on a real file, an assistant of a few words."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from rag.answer.follow_up import Rewritten
from rag.answer.subject import Turn as Exchange
from rag.conversations.database import Database
from rag.conversations.feedback import FeedbackStore
from rag.conversations.kept import Origin
from rag.conversations.store import ConversationStore
from rag.errors import CorpusIndexError, RagError
from rag.offsets import OffsetMap
from rag.types import Answer, Citation, Document, State
from ui.chat_ask import Turn, make_handler
from ui.chat_desk import Abilities, ChatDesk, Wanted

TEXT = "每日服用一次。"
MANUAL = Document("manual", "用药手册", TEXT, TEXT, OffsetMap.identity(len(TEXT)))
CITED = Citation(1, "manual", "用药手册", 0, 6, TEXT[:6], original=TEXT[:6])
ORIGIN = Origin("d1", "g1")
PERSON = "a" * 32
OTHER = "b" * 32


class SmallAssistant:
    """Answers every question with itself, in two steps."""

    model_label = "摘录式回答"

    def __init__(self, error: RagError | None = None) -> None:
        self.error = error
        self.asked: list[str] = []
        self.collections: Collection[str] | None = None
        self.documents = {MANUAL.id: MANUAL}
        self.closed = 0

    def stream(
        self, question: str, *, collections: Collection[str] | None = None
    ) -> Iterator[Answer]:
        self.asked.append(question)
        self.collections = collections
        try:
            yield Answer(question, question, State.ANSWERED, "半", finished=False)
            if self.error is not None:
                raise self.error
            text = f"答：{question}[1]"
            yield Answer(question, question, State.ANSWERED, text, citations=(CITED,))
        finally:
            self.closed += 1

    def document(self, id: str) -> Document:
        if id not in self.documents:
            raise CorpusIndexError(f"没有资料 {id}。请运行 rag index")
        return self.documents[id]


def rewrite(history: Sequence[Exchange], question: str) -> Rewritten:
    """What leans on the question before is put behind it."""
    if not question.startswith("那"):
        return Rewritten(question, False, "unchanged")
    return Rewritten(f"{history[-1].question}{question}", True, "rule")


def desk_of(directory: Path, assistant: Any = None, **abilities: Any) -> ChatDesk:
    database = Database(directory)
    return ChatDesk(
        SmallAssistant() if assistant is None else assistant,
        ConversationStore(database),
        FeedbackStore(database),
        Abilities(**{"stand_alone": rewrite, "origin": lambda: ORIGIN, **abilities}),
    )


def asked(
    desk: ChatDesk, question: str, wanted: Wanted | None = None, person: str = PERSON
) -> list[Turn]:
    """All that the page is told while a question is answered."""
    handler = make_handler(desk, max_question_characters=20)
    return list(handler(question, wanted or Wanted(), person))


def answered(
    desk: ChatDesk, question: str, wanted: Wanted | None = None, person: str = PERSON
) -> Turn:
    """The last of it."""
    return asked(desk, question, wanted, person)[-1]
