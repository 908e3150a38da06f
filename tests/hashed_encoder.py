"""A small real encoder for tests: hashed character bigrams, deterministic, no model needed."""

import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rag.chinese import tokenize

FloatArray = npt.NDArray[np.float32]


class HashedBigramEncoder:
    """Texts that share characters and pairs of characters are near."""

    def __init__(self, dimension: int = 256, fingerprint: str = "hashed-1") -> None:
        self.name = "hashed-bigrams"
        self.fingerprint = fingerprint
        self.dimension = dimension
        self.encoded = 0

    def encode_query(self, texts: Sequence[str]) -> FloatArray:
        return self._encode(texts)

    def encode_document(self, texts: Sequence[str]) -> FloatArray:
        self.encoded += len(texts)
        return self._encode(texts)

    def _encode(self, texts: Sequence[str]) -> FloatArray:
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            vectors[row, 0] = 0.01
            for token in tokenize(text):
                vectors[row, zlib.crc32(token.encode()) % self.dimension] += len(token)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        result: FloatArray = vectors / np.maximum(lengths, 1e-9)
        return result
