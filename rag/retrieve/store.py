"""Our FAISS index behind LlamaIndex's vector-store interface, for programs built on LlamaIndex.

Similarities are cosines. Filters are decided on the nodes' metadata before the search, never
after it. Vector ids count up and are never used twice, so a deleted node cannot come back as
another.
"""

from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np
from llama_index.core.schema import BaseNode
from llama_index.core.vector_stores.types import (
    BasePydanticVectorStore,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryResult,
)
from llama_index.core.vector_stores.utils import build_metadata_filter_fn
from pydantic import PrivateAttr

from rag.retrieve.vectors import VectorIndex


class FaissVectorStore(BasePydanticVectorStore):
    """A LlamaIndex vector store with delete, update and metadata filters, kept in memory.

    Adding a node whose id is there already replaces it.
    """

    stores_text: bool = True
    _vectors: VectorIndex = PrivateAttr()
    _nodes: dict[int, BaseNode] = PrivateAttr(default_factory=dict)
    _numbers: dict[str, int] = PrivateAttr(default_factory=dict)
    _counter: "count[int]" = PrivateAttr(default_factory=lambda: count(1))

    def __init__(self, dimension: int) -> None:
        super().__init__(stores_text=True)
        self._vectors = VectorIndex(dimension)

    @classmethod
    def class_name(cls) -> str:
        return "FaissVectorStore"

    @property
    def client(self) -> VectorIndex:
        return self._vectors

    def add(self, nodes: Sequence[BaseNode], **kwargs: Any) -> list[str]:
        """Add nodes that carry their embeddings; returns their ids."""
        # The last of several nodes with one id stands, as if they had come one after another.
        nodes = list({node.node_id: node for node in nodes}.values())
        if not nodes:
            return []
        vectors = np.asarray([node.get_embedding() for node in nodes], np.float32)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        self.delete_nodes([node.node_id for node in nodes])
        numbers = [next(self._counter) for _ in nodes]
        self._vectors.add(numbers, vectors / np.maximum(lengths, 1e-12))
        self._nodes.update(zip(numbers, nodes, strict=True))
        self._numbers.update({n.node_id: i for n, i in zip(nodes, numbers, strict=True)})
        return [node.node_id for node in nodes]

    def delete(self, ref_doc_id: str, **delete_kwargs: Any) -> None:
        """Delete every node of a document."""
        self.delete_nodes([n.node_id for n in self._nodes.values() if n.ref_doc_id == ref_doc_id])

    def delete_nodes(
        self,
        node_ids: list[str] | None = None,
        filters: MetadataFilters | None = None,
        **delete_kwargs: Any,
    ) -> None:
        """Delete nodes by id, by metadata, or by both; unknown ids are ignored."""
        if node_ids is None and filters is None:
            return
        numbers = self._allowed(node_ids, None, filters)
        self._vectors.remove(numbers)
        for number in numbers:
            del self._numbers[self._nodes.pop(number).node_id]

    def get_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None
    ) -> list[BaseNode]:
        return [self._nodes[number] for number in self._allowed(node_ids, None, filters)]

    def clear(self) -> None:
        self._vectors.remove(list(self._nodes))
        self._nodes.clear()
        self._numbers.clear()

    def query(self, query: VectorStoreQuery, **kwargs: Any) -> VectorStoreQueryResult:
        """The nearest nodes by cosine, best first.

        Raises:
            ValueError: the query carries no embedding.
        """
        if query.query_embedding is None:
            raise ValueError("this store answers embedding queries only")
        vector = np.asarray(query.query_embedding, np.float32)
        vector = vector / max(float(np.linalg.norm(vector)), 1e-12)
        restricted = query.node_ids or query.doc_ids or query.filters
        allowed = (
            self._allowed(query.node_ids, query.doc_ids, query.filters) if restricted else None
        )
        numbers, cosines = self._vectors.search(vector, query.similarity_top_k, allowed=allowed)
        nodes = [self._nodes[number] for number in numbers.tolist()]
        return VectorStoreQueryResult(
            nodes=nodes, similarities=cosines.tolist(), ids=[node.node_id for node in nodes]
        )

    def _allowed(
        self,
        node_ids: Sequence[str] | None,
        document_ids: Sequence[str] | None,
        filters: MetadataFilters | None,
    ) -> list[int]:
        """Numbers of the nodes that meet every given condition."""
        if node_ids is None:
            numbers = list(self._nodes)
        else:
            numbers = [self._numbers[i] for i in node_ids if i in self._numbers]
        if document_ids is not None:
            wanted = set(document_ids)
            numbers = [number for number in numbers if self._nodes[number].ref_doc_id in wanted]
        if filters is not None:
            metadata = {str(number): self._nodes[number].metadata for number in numbers}
            meets = build_metadata_filter_fn(metadata.__getitem__, filters)
            numbers = [number for number in numbers if meets(str(number))]
        return numbers
