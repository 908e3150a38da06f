"""Reading-comprehension JSON: SQuAD (CMRC2018 squad-style, DRCD, ExpMRC) and CMRC2018's own layout.

SQuAD: {data: [{title, paragraphs: [{id?, context, qas: [{id, question, answers: [{text}]}]}]}]}.
CMRC2018: [{context_id, context_text, title?, qas: [{query_id, query_text, answers: [text]}]}].
Each paragraph is a document. A file of this kind has no useful lines: faults name the question.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rag.evaluate.faults import DatasetError
from rag.evaluate.questions import CorpusText, Question
from rag.evaluate.readers.lines import read_bytes, text_of


def read(path: Path) -> tuple[tuple[CorpusText, ...], tuple[Question, ...]]:
    """The paragraphs and questions of a file.

    Raises:
        DatasetError: not JSON, another layout, a missing field or an id that appears twice.
    """
    for number, line in enumerate(read_bytes(path).split(b"\n"), 1):
        text_of(path, line, number)
    try:
        content = json.loads(read_bytes(path).decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise DatasetError(
            path, f"不是有效的 JSON（{error.msg}）", "请改正后重试", line=error.lineno
        ) from error
    texts: dict[str, CorpusText] = {}
    questions: dict[str, Question] = {}
    try:
        for text, asked in _paragraphs(content):
            if text.id in texts:
                raise DatasetError(path, f"段落编号 {text.id!r} 重复", "请让每个编号只出现一次")
            texts[text.id] = text
            for question in asked:
                if question.id in questions:
                    raise DatasetError(
                        path, f"问题编号 {question.id!r} 重复", "请让每个编号只出现一次"
                    )
                questions[question.id] = question
    except KeyError as error:
        last = next(reversed(questions), "（文件开头）")
        raise DatasetError(path, f"{last} 之后缺少字段 {error}", "请补上后重试") from error
    except (TypeError, AttributeError) as error:
        raise DatasetError(
            path, f"不是 SQuAD 或 CMRC2018 的结构（{error}）", "请对照 docs/evaluation.md"
        ) from error
    return tuple(texts.values()), tuple(questions.values())


def _paragraphs(content: Any) -> Iterator[tuple[CorpusText, list[Question]]]:
    if isinstance(content, list):
        for entry in content:
            identifier = str(entry["context_id"])
            text = CorpusText(identifier, str(entry.get("title", "")), entry["context_text"])
            yield (
                text,
                [
                    _question(qa["query_id"], qa["query_text"], qa["answers"], identifier, qa)
                    for qa in entry["qas"]
                ],
            )
        return
    for number, article in enumerate(content["data"]):
        title = str(article.get("title", ""))
        for place, paragraph in enumerate(article["paragraphs"]):
            identifier = str(paragraph.get("id") or f"{article.get('id', number)}-{place}")
            yield (
                CorpusText(identifier, title, paragraph["context"]),
                [
                    _question(qa["id"], qa["question"], qa.get("answers", []), identifier, qa)
                    for qa in paragraph["qas"]
                ],
            )


def _question(
    identifier: Any, text: str, answers: list[Any], document: str, qa: dict[str, Any]
) -> Question:
    wordings = dict.fromkeys(a["text"] if isinstance(a, dict) else str(a) for a in answers)
    is_answerable = bool(wordings) and not qa.get("is_impossible", False)
    evidence = qa.get("evidences") or qa.get("evidence") or ()
    return Question(
        str(identifier),
        text,
        tuple(wordings) if is_answerable else (),
        frozenset([document]) if is_answerable else frozenset(),
        is_answerable,
        "extractive" if is_answerable else "impossible",
        evidence=tuple(evidence) if isinstance(evidence, list | tuple) else (str(evidence),),
    )
