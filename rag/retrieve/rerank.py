"""The second stage of retrieval: a step that reads question and passages together.

`rag.reader.rerank.ReaderReranker` is the product's own. Any LlamaIndex node postprocessor can
stand in its place through `LlamaIndexReranker`; answers are then extracted without readings.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from rag.types import Hit

if TYPE_CHECKING:
    from llama_index.core.postprocessor.types import BaseNodePostprocessor


class Reranker(Protocol):
    def rerank(self, question: str, hits: Sequence[Hit]) -> Sequence[Hit]:
        """The same hits in a better order, with scores that fall along it."""


class LlamaIndexReranker:
    """A LlamaIndex reranker (`BaseNodePostprocessor`) as a `Reranker`.

    Its scores are kept in order but not on a scale of ours: a hit's score becomes the share of
    hits that stand behind it. What the postprocessor leaves out is left out.
    """

    def __init__(self, postprocessor: "BaseNodePostprocessor") -> None:
        self._postprocessor = postprocessor

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        """Hits in the postprocessor's order."""
        from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

        nodes = [
            NodeWithScore(node=TextNode(text=hit.passage.text, id_=str(place)), score=hit.score)
            for place, hit in enumerate(hits)
        ]
        ranked = self._postprocessor.postprocess_nodes(nodes, query_bundle=QueryBundle(question))
        return [
            replace(hits[int(node.node.node_id)], score=1.0 - place / len(ranked))
            for place, node in enumerate(ranked)
        ]
