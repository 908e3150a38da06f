"""A language model for tests that says what it was given, and a source that hands it out."""

from collections.abc import Generator, Sequence

from rag.answer.llm import Delta, LanguageModel, Message
from rag.errors import LanguageModelError
from rag.language import LanguageModelSource
from rag.settings import AnswerSettings, Settings


class ScriptedModel:
    """Replays ``script``: a string is text, a `Delta` itself, an error is raised.

    ``prompts`` are the messages of each call; ``closed`` counts generators that came to an end,
    by themselves or because they were closed.
    """

    digest = ""

    def __init__(
        self, *script: str | Delta | LanguageModelError, name: str = "剧本", context: int = 16384
    ) -> None:
        self.name = name
        self.context = context
        self.prompts: list[tuple[Message, ...]] = []
        self.limits: list[tuple[int, float]] = []
        self.given = 0
        self.closed = 0
        self._script = script
        # Held, so that only close() ends them and not the garbage collector.
        self._streams: list[Generator[Delta, None, None]] = []

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, temperature: float
    ) -> Generator[Delta, None, None]:
        self.prompts.append(tuple(messages))
        self.limits.append((max_tokens, temperature))
        self._streams.append(self._replay())
        return self._streams[-1]

    def _replay(self) -> Generator[Delta, None, None]:
        try:
            for entry in self._script:
                if isinstance(entry, LanguageModelError):
                    raise entry
                self.given += 1
                yield Delta(text=entry) if isinstance(entry, str) else entry
        finally:
            self.closed += 1


class ScriptedSource(LanguageModelSource):
    """Gives ``model`` under the rules of ``llm``; None stands for extractive answering."""

    def __init__(self, model: LanguageModel | None, llm: str = "ollama") -> None:
        super().__init__(Settings(answer=AnswerSettings.model_validate({"llm": llm})))
        self.model = model
        self.failures = 0

    def current(self) -> LanguageModel | None:
        return self.model

    def failed(self) -> None:
        self.failures += 1
