"""A data set from a path, whatever its layout; nothing is half read.

============================================  =======================================
folder with ``dataset.toml``                  our own: questions, and folders of documents
folder with ``corpus`` and ``questions``      the schema of `rag.evaluate.readers.schema`
folder with ``corpus``, ``queries``, qrels/   BEIR
``questions.jsonl`` alone (folder or file)    asked of an index that exists
``.json``                                     SQuAD, DRCD, ExpMRC, CMRC2018
``.csv``, ``.xlsx``                           a table, asked of an index that exists
============================================  =======================================
"""

import hashlib
import tomllib
from pathlib import Path
from typing import Any

from rag.evaluate.faults import DatasetError
from rag.evaluate.questions import Dataset, Question, digest
from rag.evaluate.readers import beir, schema, squad, table
from rag.evaluate.readers.lines import existing
from rag.ingest.read import find_files

POINTER = "dataset.toml"
_LAYOUTS = (
    "可用：含 corpus.jsonl 与 questions.jsonl 的目录、BEIR 目录、SQuAD/CMRC/DRCD 的 .json、"
    "questions.jsonl、.csv 或 .xlsx"
)


def load(path: Path) -> Dataset:
    """Read a data set and check it whole.

    Raises:
        DatasetError: the first fault, with file and line.
    """
    if path.is_dir():
        dataset = _from_folder(path)
    elif path.is_file():
        dataset = _from_file(path)
    else:
        raise DatasetError(path, "评测集不存在", _LAYOUTS)
    if not dataset.questions:
        raise DatasetError(dataset.questions_file, "没有问题", "请至少写一个问题")
    if dataset.texts:
        dataset.check_positives({text.id for text in dataset.texts})
    return dataset


def _from_folder(folder: Path) -> Dataset:
    if (folder / POINTER).is_file():
        return _pointed(folder)
    corpus = existing(folder / "corpus.jsonl")
    asked = existing(folder / "questions.jsonl")
    queries = existing(folder / "queries.jsonl")
    name = folder.resolve().name
    if corpus and asked:
        texts = schema.corpus(corpus)
        questions = schema.questions(asked)
        return Dataset(
            name, folder, asked, questions, texts,
            sha256=digest(corpus, asked), corpus_sha256=digest(corpus),
        )  # fmt: skip
    if corpus and queries:
        qrels = beir.qrels_file(folder)
        questions = beir.questions(queries, qrels)
        return Dataset(
            name, folder, queries, questions, beir.corpus(corpus),
            sha256=digest(corpus, queries, qrels), corpus_sha256=digest(corpus),
        )  # fmt: skip
    if asked:
        return _questions_only(name, asked, schema.questions(asked))
    raise DatasetError(folder, "目录里没有可用的评测集", _LAYOUTS)


def _from_file(path: Path) -> Dataset:
    kind = path.suffix.lower()
    if kind == ".json":
        texts, questions = squad.read(path)
        sha256 = digest(path)
        return Dataset(path.stem, path, path, questions, texts, sha256=sha256, corpus_sha256=sha256)
    if kind in (".jsonl", ".gz"):
        return _questions_only(path.name.split(".")[0], path, schema.questions(path))
    if kind in (".csv", ".xlsx"):
        return _questions_only(path.stem, path, table.questions(path))
    raise DatasetError(path, "不认识的文件类型", _LAYOUTS)


def _questions_only(name: str, path: Path, questions: tuple[Question, ...]) -> Dataset:
    return Dataset(name, path, path, questions, sha256=digest(path))


def _pointed(folder: Path) -> Dataset:
    """``name``, ``documents`` (files or folders) and ``questions``, paths relative to the file."""
    pointer = folder / POINTER
    content = _toml(pointer)
    documents = tuple((folder / name).resolve() for name in content["documents"])
    for path in documents:
        if not path.exists():
            raise DatasetError(pointer, f"documents 中的 {path} 不存在", "请改正路径")
    asked = folder / content["questions"]
    files = sorted({file.path for file in find_files(documents).files})
    if not files:
        raise DatasetError(pointer, "documents 里没有可读的文档", "请改正路径")
    total = hashlib.sha256(digest(*files).encode())
    total.update("\n".join(file.name for file in files).encode())
    corpus_sha256 = total.hexdigest()
    total.update(digest(asked).encode() if asked.is_file() else b"")
    return Dataset(
        content["name"], folder, asked, schema.questions(asked), documents=documents,
        sha256=total.hexdigest(), corpus_sha256=corpus_sha256,
    )  # fmt: skip


def _toml(path: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DatasetError(path, f"不是有效的 TOML（{error}）", "请按提示的行改正") from error
    kinds = {"name": str, "documents": list, "questions": str}
    for name, kind in kinds.items():
        if not isinstance(content.get(name), kind):
            raise DatasetError(
                path,
                f"缺少 {name}",
                '应写 name = "…"，documents = ["…"]，questions = "questions.jsonl"',
            )
    if any(not isinstance(entry, str) for entry in content["documents"]):
        raise DatasetError(path, "documents 应是路径的列表", "请改正")
    return content
