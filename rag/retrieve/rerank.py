"""The seam for a second stage that reads question and passage together.

None ships yet. Anything with this one method, a LlamaIndex reranker behind a few lines included,
can be given to `rag.assistant.Assistant`.
"""

from collections.abc import Sequence
from typing import Protocol

from rag.types import Hit


class Reranker(Protocol):
    def rerank(self, question: str, hits: Sequence[Hit]) -> Sequence[Hit]:
        """The same hits in a better order, with scores that fall along it."""
