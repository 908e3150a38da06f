"""Every error the product raises on purpose.

::

    RagError                    one clear line: what happened and what to do
    ├── SettingsError           rag.toml, an environment variable or an argument is wrong
    ├── DocumentError           one file cannot be read; the others go on
    ├── ModelError              an embedding model is missing or damaged
    ├── CorpusIndexError             an index is missing, damaged, or made with other settings
    │   └── IndexBusyError      another process is writing this index
    ├── QuestionError           a question that cannot be asked (empty, too long)
    ├── LanguageModelError      the language model failed
    │   ├── LanguageModelUnavailable   no server, no such model, busy, timed out
    │   ├── LanguageModelBroken        the answer stopped before its end
    │   └── ContextOverflow            the prompt does not fit the model's window
    └── ServeError              the chat cannot be served (port taken, …)

A message is written for the person who reads it: Chinese, one line, ending with what to do next.
Foreign exceptions are turned into these at one boundary per library.
"""


class RagError(Exception):
    """Base of all expected errors; ``str(error)`` is shown to a person as it is."""

    exit_code = 1


class SettingsError(RagError):
    """The configuration cannot be used."""

    exit_code = 2


class DocumentError(RagError):
    """One document cannot be read.

    Args:
        path: the file, as the person named it.
        reason: what happened, in Chinese.
        remedy: what to do, in Chinese.
    """

    def __init__(self, path: object, reason: str, remedy: str) -> None:
        super().__init__(f"{path}：{reason}。{remedy}")
        self.path = str(path)
        self.reason = reason
        self.remedy = remedy


class ModelError(RagError):
    """An embedding model is missing or damaged."""

    exit_code = 3


class CorpusIndexError(RagError):
    """An index is missing, damaged, or was made with other settings."""

    exit_code = 4


class IndexBusyError(CorpusIndexError):
    """Another process is writing this index."""


class QuestionError(RagError):
    """The question cannot be asked."""

    exit_code = 2


class LanguageModelError(RagError):
    """The language model failed."""

    exit_code = 5


class LanguageModelUnavailable(LanguageModelError):
    """No server answers, the model is not there, or it is too busy."""


class LanguageModelBroken(LanguageModelError):
    """The model's answer stopped before its end."""


class ContextOverflow(LanguageModelError):
    """The prompt does not fit the model's context window."""


class ServeError(RagError):
    """The chat cannot be served."""

    exit_code = 6
