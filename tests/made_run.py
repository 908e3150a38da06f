"""A made run directory as `rag eval run` leaves it, with every kind of question in it."""

import json
import random
from pathlib import Path

from rag.evaluate.operation import operation_of
from rag.evaluate.summarize import summarize

HOSTILE = (
    "<script>alert('x')</script>\"><img src=x onerror=alert(1)> **粗体** [链接](http://evil.example) "
    "</details></body> {{7*7}} \u202e倒写\u202c \x00 \ud800"
)
DOCUMENTS = (
    ("infusion", "静脉输液护理常规", "输液开始后15~30分钟内观察反应，滴速以40~60滴/分为宜；PLT<100×10⁹/L者慎用。"),
    ("potassium", "补钾操作规范", "外周静脉补钾浓度不超过0.3%，速度不超过20 mmol/h，见尿补钾，每日总量3~6 g。"),
    ("insulin", "胰岛素使用须知", "开封后在25℃以下可存放4周；注射部位每次间隔≥1 cm，餐前15~30 min注射。"),
    ("warfarin", "华法林抗凝管理", "目标INR为2.0~3.0，调整剂量后3~5日复查；与头孢类合用时出血风险升高。"),
    ("hygiene", "手卫生制度", "接触患者前后均须洗手，揉搓时间不少于15秒；无明显污染时可用速干手消毒剂。"),
    ("falls", "跌倒风险评估", "入院2小时内完成评估，评分≥45分为高风险，床旁悬挂标识并每班交接。"),
)  # fmt: skip
TYPES = ("数值", "定义", "步骤", "资料外", "口语")
ERROR = "大模型没有应答（连接被拒绝）。请确认 Ollama 已启动后重试"
_STEMS = ("{t}里怎么规定的？", "按《{t}》，最多可以到多少？", "{t}要注意哪几点，具体数字是什么？", "想问下{t}多久做一次呀")  # fmt: skip


def make_run(
    directory: Path,
    questions: int = 24,
    *,
    seed: int = 7,
    only_errors: bool = False,
    with_judge: bool = False,
    with_metrics: bool = True,
) -> Path:
    """Write manifest.json, summary.json, operation.json and results.jsonl; gives the folder."""
    directory.mkdir(parents=True, exist_ok=True)
    chance = random.Random(seed)
    rows = [_row(number, chance, only_errors, with_judge) for number in range(1, questions + 1)]
    if not with_metrics:
        for row in rows:
            row.update(metrics={}, recalls={})
    _write(directory / "manifest.json", _manifest(questions, seed))
    _write(directory / "summary.json", summarize("院内护理问答", rows, seed=seed))
    _write(directory / "operation.json", operation_of(rows, wall_seconds=97.2, memory=1834.2))
    write_rows(directory, rows)
    return directory


def read_rows(directory: Path) -> list[dict]:
    """The rows of a made run, for changing some of them."""
    return [
        json.loads(line) for line in (directory / "results.jsonl").read_text("utf-8").splitlines()
    ]


def write_rows(directory: Path, rows: list[dict]) -> None:
    lines = (json.dumps(row, ensure_ascii=True) + "\n" for row in rows)
    (directory / "results.jsonl").write_text("".join(lines), "utf-8")


def _row(number: int, chance: random.Random, only_errors: bool, with_judge: bool) -> dict:
    kind = TYPES[number % len(TYPES)]
    document, title, text = DOCUMENTS[number % len(DOCUMENTS)]
    is_answerable = kind != "资料外"
    gold = text.split("；")[0].split("，")[-1].rstrip("。")
    question = chance.choice(_STEMS).format(t=title)
    if number == 3:
        question += HOSTILE
    row: dict = {
        "id": f"made-{number:04d}",
        "question": question,
        "type": kind,
        "answerable": is_answerable,
        "answers": [gold] if is_answerable else [],
        "positive_ids": [document] if is_answerable else [],
        "error": None,
    }
    if only_errors or number % 19 == 0:
        return {**row, "error": ERROR, "answer": None, "metrics": {}}
    refused = chance.random() < (0.08 if is_answerable else 0.85)
    right = chance.random() < 0.8
    state = "not_found" if refused else "answered" if chance.random() < 0.8 else "uncertain"
    row["answer"] = _answer(number, question, state, right, chance)
    row["metrics"] = _metrics(row, refused, right, chance)
    if with_judge and not refused:
        row["judge"] = {
            "model": "qwen3:8b",
            "correctness": 5.0 if right else 2.0,
            "feedback": "与参考答案一致" if right else "缺少数字",
            "faithful": right,
        }
    return row


def _answer(number: int, question: str, state: str, right: bool, chance: random.Random) -> dict:
    hits = [
        {
            "document": document,
            "title": title,
            "start": 240 * rank,
            "end": 240 * rank + len(text) * 4,
            "page": rank + 1 if rank % 2 else None,
            "heading": "护理 > 操作" if rank % 2 else "",
            "score": round(0.98 * 0.8**rank, 6),
            "dense": round(0.91 - 0.012 * rank, 6),
            "keyword": round(17.3 * 0.7**rank, 6),
            "text": (text if rank or right else "本节另有说明。")
            + "其余按科室规定执行，并做好记录和交接班。" * 6,
        }
        for rank, (document, title, text) in enumerate(
            (DOCUMENTS * 2)[number % len(DOCUMENTS) :][: 6 + number % 3]
        )
    ]
    said = hits[0]["text"].split("。")[0] + "。"
    verdict = (
        "supported" if right else chance.choice(("number_mismatch", "unsupported", "unchecked"))
    )
    sentences = [
        {"text": said, "citations": [1], "verdict": verdict, "mismatches": [], "reasons": []}
    ]
    if verdict == "number_mismatch":
        sentences[0]["mismatches"] = ["500 mg"]
        sentences[0]["reasons"] = ["引用资料中没有 500 mg"] if number % 2 else []
        sentences[0]["text"] = said[:-1] + "，每次500 mg。"
    sentences.append(
        {
            "text": "以上内容请以医嘱为准。",
            "citations": [],
            "verdict": "not_a_claim",
            "mismatches": [],
        }
    )
    if number == 3:
        sentences[0]["text"] += HOSTILE
    if state == "not_found":
        sentences = [
            {
                "text": "资料中未找到",
                "citations": [],
                "verdict": "not_a_claim",
                "mismatches": [],
                "reasons": [],
            }
        ]
    total = round(0.4 + chance.lognormvariate(0.2, 0.6), 4)
    quoted = {k: hits[0][k] for k in ("document", "title", "start", "page", "heading")}
    return {
        "question": question,
        "search_question": question if number % 4 else f"{question}（上文：输液）",
        "state": state,
        "text": "\n".join(one["text"] for one in sentences),
        "sentences": sentences,
        "citations": [
            {**quoted, "mark": 1, "end": len(said), "quote": said, "original": said, "source": "", "date": ""}
        ] * (state != "not_found"),
        "hits": hits,
        "model": "qwen3:8b",
        "thinking": "先找数字，再核对单位。" if number % 5 == 0 else "",
        "notices": ["数字或日期 500 mg 未在引用资料中出现，请核对原文。"] * (verdict == "number_mismatch"),
        "confidence": round(chance.uniform(0.7, 0.99) if right else chance.uniform(0.3, 0.8), 4),
        "prompt_tokens": 1400 + 3 * number % 200,
        "trimmed": number % 3,
        "output_tokens": 60 + number % 50,
        "timings": {"retrieve": 0.012, "evidence": 0.021, "first_text": round(total / 3, 4), "total": total},
    }  # fmt: skip


def _metrics(row: dict, refused: bool, right: bool, chance: random.Random) -> dict:
    if not row["answerable"]:
        return {"outcome.correct": float(refused)}
    found = float(right and not refused)
    values = {
        "answer.contains": found,
        "answer.exact_match": found * (chance.random() < 0.3),
        "answer.f1": round(chance.uniform(0.7, 1) if found else chance.uniform(0, 0.4), 6),
        "answer.key_facts": found if row["type"] != "步骤" else 0.6 * found,
        "answer.numeric_accuracy": found,
    }
    values["outcome.correct"] = values["answer.key_facts"]
    if not refused:
        values |= dict.fromkeys(("citation.precision", "citation.recall"), float(right))
    for unit, share in (("document", 0.9), ("passage", 0.8)):
        first = float(chance.random() < share)
        for k in (1, 3, 5, 10):
            values[f"retrieval.{unit}.recall@{k}"] = first if k == 1 else 1.0
        values[f"retrieval.{unit}.hit@1"] = first
        values[f"retrieval.{unit}.mrr@10"] = first or 0.5
        values[f"retrieval.{unit}.ndcg@10"] = first or 0.63
        row.setdefault("recalls", {})[unit] = [first] + [1.0] * 9
    return values


def _manifest(questions: int, seed: int) -> dict:
    return {
        "dataset": {"name": "院内护理问答", "path": "sets/nursing", "sha256": "5f" * 32, "questions": questions, "documents": 6},
        "settings": {
            "retrieve": {"mode": "hybrid", "top_k": 6, "candidates": 50, "weight": 0.5},
            "answer": {"llm": "ollama", "answered": 0.6, "uncertain": 0.35, "temperature": 0.0},
            "openai": {"base_url": "", "api_key": "***"},
            "index": {"directory": "indexes/nursing", "corpus": ["corpus", "more"], "ocr": True},
        },
        "seed": seed,
        "limit": None,
        "concurrency": 2,
        "versions": {"yiwen": "0.2.0", "python": "3.11.9", "llama-index-core": "0.14.0", "faiss-cpu": "1.12.0"},
        "model": {"name": "qwen3:8b", "digest": "sha256:" + "ab" * 32},
        "index": {"generation": "g-0123456789abcdef", "fingerprint": "cd" * 32},
        "git_commit": "6ca49cf0" * 5,
        "machine": {"system": "Linux 6.1", "processor": "x86_64 made", "cores": 2, "memory_gib": 7.8},
        "started": "2026-11-24T22:15:03+08:00",
    }  # fmt: skip


def _write(path: Path, value: dict) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), "utf-8")
