"""Searching a loaded index: dense and keyword candidates, fused into one ranking."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.chinese import to_simplified
from rag.errors import CorpusIndexError
from rag.retrieve.documents import DocumentStore
from rag.retrieve.embed import Encoder
from rag.retrieve.fuse import fuse
from rag.retrieve.generation import (
    DOCUMENTS,
    KEYWORD,
    MEND,
    VECTORS,
    Recipe,
    damaged_files,
    read_manifest,
    refuse_other_recipe,
)
from rag.retrieve.keyword import KeywordIndex
from rag.retrieve.vectors import VectorIndex
from rag.types import Hit


class CorpusIndex:
    """A loaded generation. Reading is safe from several threads."""

    def __init__(
        self,
        directory: Path,
        generation: str,
        documents: DocumentStore,
        vectors: VectorIndex,
        keyword: KeywordIndex,
    ) -> None:
        self.directory = directory
        self.generation = generation
        self.documents = documents
        self.vectors = vectors
        self.keyword = keyword

    @classmethod
    def load(cls, directory: Path, recipe: Recipe) -> "CorpusIndex":
        """Load the current generation.

        Raises:
            CorpusIndexError: no index, damaged files, or made with another embedding model,
                split size or cleaning than ``recipe``.
        """
        manifest = read_manifest(directory)
        try:
            return cls._load(directory, manifest, recipe)
        except CorpusIndexError:
            # A writer may have replaced the generation between the two reads.
            newer = read_manifest(directory)
            if newer["generation"] == manifest["generation"]:
                raise
            return cls._load(directory, newer, recipe)

    @classmethod
    def _load(cls, directory: Path, manifest: dict[str, Any], recipe: Recipe) -> "CorpusIndex":
        refuse_other_recipe(directory, manifest["recipe"], recipe)
        folder = directory / manifest["generation"]
        damaged = damaged_files(directory, manifest)
        if damaged:
            raise CorpusIndexError(
                f"索引 {directory} 的文件缺失或损坏：{'、'.join(damaged)}。{MEND}"
            )
        return cls(
            directory,
            manifest["generation"],
            DocumentStore(folder / DOCUMENTS),
            VectorIndex.load(folder / VECTORS),
            KeywordIndex.load(folder / KEYWORD),
        )

    def search(
        self,
        question: str,
        encoder: Encoder,
        *,
        mode: str = "hybrid",
        count: int = 6,
        candidates: int = 50,
        weight: float = 0.5,
        collections: Collection[str] | None = None,
    ) -> tuple[Hit, ...]:
        """The best passages for a question, best first.

        Candidates are the best ``candidates`` of each ranking; their scores are fused by
        `rag.retrieve.fuse`. ``collections`` restricts the search before it runs.
        """
        if not len(self.vectors):
            return ()
        vector = encoder.encode_query([to_simplified(question)])[0]
        keyword = self.keyword.scores(question)
        allowed = None
        if collections is not None:
            allowed = self.documents.passage_ids(collections)
            if not allowed:
                return ()
        ids: list[int] = []
        if mode != "keyword":
            ids.extend(self.vectors.search(vector, candidates, allowed=allowed)[0].tolist())
        if mode != "dense":
            ids.extend(self._best_keyword(keyword, candidates, allowed))
        ids = list(dict.fromkeys(ids))
        cosines = self.vectors.cosines(vector, ids)
        matches = keyword[self.keyword.rows(ids)]
        share = {"hybrid": weight, "dense": 1.0, "keyword": 0.0}[mode]
        scores = fuse(cosines, matches, weight=share)
        # Ties fall to the lower id, so that the same question always gets the same order.
        order = np.lexsort((np.asarray(ids), -scores))[:count]
        found = self.documents.passages([ids[i] for i in order])
        hits = []
        for i in order.tolist():
            passage = found[ids[i]]
            about = self.documents.about(passage.document)
            hits.append(
                Hit(
                    passage=passage,
                    title=about.title,
                    score=float(scores[i]),
                    dense=float(cosines[i]),
                    keyword=float(matches[i]),
                    source=about.source,
                    date=about.date,
                )
            )
        return tuple(hits)

    def _best_keyword(
        self,
        scores: npt.NDArray[np.float32],
        count: int,
        allowed: Collection[int] | None,
    ) -> list[int]:
        if allowed is not None:
            mask = np.isin(self.keyword.ids, np.fromiter(allowed, np.int64, len(allowed)))
            scores = np.where(mask, scores, 0.0)
        count = min(count, len(scores))
        rows = np.argpartition(-scores, count - 1)[:count]
        return [int(self.keyword.ids[row]) for row in rows if scores[row] > 0]

    def close(self) -> None:
        self.documents.close()
