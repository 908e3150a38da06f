"""The JSON shape that scripts lean on."""

import json

from rag.errors import DocumentError
from rag.indexer import IndexReport
from rag.types import Answer, Citation, Hit, Passage, Reading, Sentence, Span, State, Verdict
from rag.wire import answer_to_json, report_to_json

HIT = Hit(
    Passage("资料/a.md", 3, 7, "每季度一", "培训 > 频次", 2, 11),
    "制度",
    0.81234567,
    0.9,
    4.5,
    reading=Reading(1.5, -0.25, (Span(1, 3, 0.87654),)),
)
ANSWER = Answer(
    question="多久？",
    search_question="多久?",
    state=State.UNCERTAIN,
    text="每季度一次。[1]",
    sentences=(Sentence("每季度一次。", (1,), Verdict.NUMBER_MISMATCH, ("3次",)),),
    citations=(
        Citation(
            1,
            "资料/a.md",
            "制度",
            3,
            7,
            "每季度一",
            2,
            "每季(jì)度一",
            "院办",
            "2025-01-02",
            "频次",
            (4, 6),
        ),
    ),
    hits=(HIT,),
    model="qwen3:8b",
    timings={"retrieve": 0.0123456, "total": 1.5},
    thinking="想",
    notices=("请核对",),
    span="季度",
)


def test_an_answer_has_the_fields_of_the_contract_and_their_values():
    assert answer_to_json(ANSWER) == {
        "question": "多久？",
        "search_question": "多久?",
        "state": "uncertain",
        "text": "每季度一次。[1]",
        "span": "季度",
        "sentences": [
            {
                "text": "每季度一次。",
                "citations": [1],
                "verdict": "number_mismatch",
                "mismatches": ["3次"],
                "reasons": [],
            }
        ],
        "citations": [
            {
                "mark": 1,
                "document": "资料/a.md",
                "title": "制度",
                "start": 3,
                "end": 7,
                "quote": "每季度一",
                "page": 2,
                "original": "每季(jì)度一",
                "heading": "频次",
                "source": "院办",
                "date": "2025-01-02",
                "focus": [4, 6],
            }
        ],
        "hits": [
            {
                "document": "资料/a.md",
                "title": "制度",
                "start": 3,
                "end": 7,
                "page": 2,
                "heading": "培训 > 频次",
                "source": "",
                "date": "",
                "score": 0.812346,
                "dense": 0.9,
                "keyword": 4.5,
                "text": "每季度一",
                "reading": {
                    "relevance": 1.5,
                    "answerable": -0.25,
                    "spans": [[1, 3, 0.8765]],
                },
            }
        ],
        "model": "qwen3:8b",
        "thinking": "想",
        "notices": ["请核对"],
        "confidence": 0.0,
        "prompt_tokens": 0,
        "trimmed": 0,
        "output_tokens": 0,
        "finished": True,
        "timings": {"retrieve": 0.0123, "total": 1.5},
    }


def test_what_is_written_is_plain_json():
    written = answer_to_json(ANSWER)
    assert json.loads(json.dumps(written, ensure_ascii=False, allow_nan=False)) == written


def test_a_report_names_what_failed_and_what_to_do():
    report = IndexReport(
        added=("a.md",),
        unchanged=2,
        failures=(DocumentError("b.pdf", "已加密", "请先解除密码"),),
        documents=3,
        passages=9,
        seconds=0.12345,
        published=True,
    )
    assert report_to_json(report) == {
        "added": ["a.md"],
        "updated": [],
        "removed": [],
        "unchanged": 2,
        "failures": [{"path": "b.pdf", "reason": "已加密", "remedy": "请先解除密码"}],
        "notices": [],
        "documents": 3,
        "passages": 9,
        "published": True,
        "seconds": 0.123,
    }
