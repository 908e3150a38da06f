"""Conversations that are being answered in: which there will be, and who asked last."""

import secrets
import threading
from collections import OrderedDict
from typing import Final

_REMEMBERED: Final = 10_000


class Places:
    """While the server runs; safe in several threads.

    A new conversation is written with its first answer, but its id is told before: until then
    this knows it. An answer that was stopped is kept when the model next gives something, and by
    then another question may have been asked there: it is too late for it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: OrderedDict[tuple[str, str], str] = OrderedDict()

    def ask(self, person: str, conversation: str) -> str:
        """A question begins there; gives its name."""
        question = secrets.token_hex(8)
        with self._lock:
            self._last[person, conversation] = question
            self._last.move_to_end((person, conversation))
            while len(self._last) > _REMEMBERED:
                self._last.popitem(last=False)
        return question

    def knows(self, person: str, conversation: str) -> bool:
        """Whether that person has asked there."""
        with self._lock:
            return (person, conversation) in self._last

    def forget(self, person: str, conversation: str) -> None:
        """It was deleted: nothing is to be kept there any more."""
        with self._lock:
            self._last.pop((person, conversation), None)

    def is_last(self, person: str, conversation: str, question: str) -> bool:
        """Whether nothing was asked there after that question."""
        with self._lock:
            return self._last.get((person, conversation)) == question
