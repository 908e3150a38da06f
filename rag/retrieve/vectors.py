"""Passage vectors in FAISS: exact search by cosine, with real delete and filters.

`IndexIDMap2` over `IndexFlatIP` on normalized vectors. Ids come from outside, are never reused
and survive deletes (the framework's own FAISS stores lose or swap documents after a delete).
"""

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rag.errors import CorpusIndexError

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]


class VectorIndex:
    """Vectors of length 1 under integer ids."""

    def __init__(self, dimension: int) -> None:
        import faiss

        self.dimension = dimension
        self._index = faiss.IndexIDMap2(faiss.IndexFlatIP(dimension))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def add(self, ids: Sequence[int] | IntArray, vectors: FloatArray) -> None:
        """Add vectors, shape (len(ids), dimension).

        Raises:
            ValueError: shapes do not fit, or an id is there already or given twice.
        """
        identifiers = np.asarray(ids, np.int64)
        if vectors.shape != (len(identifiers), self.dimension):
            raise ValueError(f"{vectors.shape} vectors for {len(identifiers)} ids")
        known = set(self.ids().tolist())
        if len(set(identifiers.tolist())) != len(identifiers) or known & set(identifiers.tolist()):
            raise ValueError("an id is already in use")
        if len(identifiers):
            self._index.add_with_ids(np.ascontiguousarray(vectors, np.float32), identifiers)

    def remove(self, ids: Collection[int]) -> int:
        """Delete vectors; unknown ids are ignored. Returns how many went."""
        return int(self._index.remove_ids(np.fromiter(ids, np.int64, len(ids))))

    def ids(self) -> IntArray:
        """All ids, in storage order."""
        import faiss

        return np.array(faiss.vector_to_array(self._index.id_map), np.int64)

    def search(
        self, vector: FloatArray, count: int, *, allowed: Collection[int] | None = None
    ) -> tuple[IntArray, FloatArray]:
        """The ``count`` nearest ids and their cosines, best first.

        ``allowed`` restricts the search before it runs: a vector outside it is never scored.
        """
        import faiss

        if len(self) == 0 or count <= 0 or (allowed is not None and not allowed):
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        parameters = None
        if allowed is not None:
            chosen = np.fromiter(allowed, np.int64, len(allowed))
            parameters = faiss.SearchParameters(sel=faiss.IDSelectorBatch(chosen))
        query = np.ascontiguousarray(vector.reshape(1, -1), np.float32)
        scores, ids = self._index.search(query, min(count, len(self)), params=parameters)
        found = ids[0] >= 0
        return ids[0][found], scores[0][found]

    def cosines(self, vector: FloatArray, ids: Sequence[int]) -> FloatArray:
        """The cosine of ``vector`` to each of ``ids``, which must all be there."""
        if not len(ids):
            return np.zeros(0, np.float32)
        stored = self._index.reconstruct_batch(np.asarray(ids, np.int64))
        return np.asarray(stored @ vector, np.float32)

    def save(self, path: Path) -> None:
        import faiss

        faiss.write_index(self._index, str(path))

    @classmethod
    def load(cls, path: Path) -> "VectorIndex":
        """Raises CorpusIndexError when the file is missing or damaged."""
        import faiss

        try:
            stored = faiss.read_index(str(path))
        except RuntimeError as error:
            raise CorpusIndexError(f"索引文件 {path} 缺失或损坏。请运行 rag index 重建") from error
        index = cls(int(stored.d))
        index._index = stored
        return index
