"""The index a run asks: one that exists, or one made from the data set's documents and kept.

Kept indexes are named by what they hold and how they were made, so runs that differ only in how
they search or answer share one.
"""

from pathlib import Path

from rag.evaluate.faults import DatasetError
from rag.evaluate.plan import Plan
from rag.indexer import Progress
from rag.library.indexing import indexer_of
from rag.retrieve.embed import Encoder
from rag.retrieve.generation import Recipe, read_manifest

INDEXES = "indexes"


def prepare_index(plan: Plan, encoder: Encoder, progress: Progress) -> Path:
    """The directory of the index; makes or completes it where the data set brings documents.

    Raises:
        DatasetError: the data set has no documents and no index was named; a document cannot be
            read; a positive is in no document.
        CorpusIndexError: the index is missing or cannot be written.
    """
    dataset = plan.dataset
    directory = plan.index
    if directory is None:
        if not dataset.has_documents:
            raise DatasetError(dataset.path, "评测集不带文档", "请用 --index 指定已有的索引")
        directory = _make(plan, encoder, progress)
    dataset.check_positives(read_manifest(directory)["documents"])
    return directory


def _make(plan: Plan, encoder: Encoder, progress: Progress) -> Path:
    dataset, settings = plan.dataset, plan.settings
    recipe = Recipe.of(
        encoder,
        split_size=settings.split.size,
        split_overlap=settings.split.overlap,
        clean=settings.clean.enabled(),
    )
    name = f"{dataset.name}-{dataset.corpus_sha256[:12]}-{recipe.fingerprint}"
    directory = settings.eval.directory / INDEXES / name
    indexer = indexer_of(settings, encoder, progress, directory=directory)
    if dataset.texts:
        report = indexer.update_items([text.item() for text in dataset.texts])
    else:
        report = indexer.update(dataset.documents)
    if report.failures:
        raise DatasetError(
            dataset.path,
            f"{len(report.failures)} 个文档无法索引，第一个：{report.failures[0]}",
            "请改正后重试",
        )
    return directory
