"""BEIR folders (Thakur et al. 2021): corpus.jsonl, queries.jsonl, qrels/SPLIT.tsv.

Only queries that the qrels judge are asked; every judgement above zero counts as relevant. BEIR has
no answers, so only retrieval is measured (and whether the assistant answers at all).
"""

from pathlib import Path

from rag.evaluate.faults import DatasetError
from rag.evaluate.questions import CorpusText, Question
from rag.evaluate.readers.lines import Fields, Unique, existing, read_bytes, rows, text_of

_SPLITS = ("test", "dev", "train")


def corpus(path: Path) -> tuple[CorpusText, ...]:
    seen = Unique(path)
    texts = []
    for line, row in rows(path):
        fields = Fields(path, line, row)
        identifier = fields.identifier("_id")
        seen.add(identifier, line)
        texts.append(CorpusText(identifier, fields.text("title", default=""), fields.text("text")))
    return tuple(texts)


def qrels_file(folder: Path) -> Path:
    """The judgements: of test, else dev, else train.

    Raises:
        DatasetError: there are none.
    """
    for split in _SPLITS:
        if path := existing(folder / "qrels" / f"{split}.tsv"):
            return path
    raise DatasetError(folder / "qrels", "没有 test.tsv、dev.tsv 或 train.tsv", "请补上相关性文件")


def questions(queries: Path, qrels: Path) -> tuple[Question, ...]:
    positives = _judgements(qrels)
    seen = Unique(queries)
    found = []
    for line, row in rows(queries):
        fields = Fields(queries, line, row)
        identifier = fields.identifier("_id")
        seen.add(identifier, line)
        if identifier in positives:
            documents = frozenset(positives.pop(identifier))
            text = fields.text("text")
            found.append(Question(identifier, text, (), documents, True, "retrieval", line=line))
    if positives:
        raise DatasetError(
            qrels, f"有 queries.jsonl 里没有的问题 {min(positives)!r}", "请检查两个文件是否配套"
        )
    return tuple(found)


def _judgements(path: Path) -> dict[str, set[str]]:
    positives: dict[str, set[str]] = {}
    for number, raw in enumerate(read_bytes(path).split(b"\n"), 1):
        line = text_of(path, raw, number).rstrip("\r")
        cells = line.split("\t")
        if not line.strip() or (number == 1 and cells[-1].strip() == "score"):
            continue
        try:
            query, document, score = cells
            grade = int(score)
        except ValueError as error:
            raise DatasetError(
                path, "应是以制表符分隔的三列：query-id、corpus-id、score", "请改正", line=number
            ) from error
        if grade > 0:
            positives.setdefault(query, set()).add(document)
    return positives
