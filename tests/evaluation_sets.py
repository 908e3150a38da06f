"""A tiny data set for tests of the bench, and a run of it with the hashed encoder.

As a program: ``python evaluation_sets.py FOLDER OUT SECONDS`` runs FOLDER into OUT and takes SECONDS
more for each question, so that a test can kill it in between.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
from hashed_encoder import HashedBigramEncoder

DOCUMENTS = {
    "d1": ("手卫生培训制度", "手卫生培训由感染管理科每季度组织一次。2025年共培训医务人员1260人。"),
    "d2": ("值班制度", "值班表每周五公布在公告栏，由医务科负责。夜班医师须在20时前到岗。"),
    "d3": ("病历管理", "病历应当在患者出院后七日内归档，由病案室统一保管三十年。"),
    "d4": ("药品管理", "麻醉药品实行双人双锁管理，处方保存三年。高警示药品单独存放。"),
}
QUESTIONS = (
    ("q1", "手卫生培训由哪个科室组织？", ["感染管理科"], ["d1"], "fact"),
    ("q2", "2025年培训了多少医务人员？", ["1260人"], ["d1"], "number"),
    ("q3", "值班表由谁负责？", ["医务科"], ["d2"], "fact"),
    ("q4", "夜班医师几点前到岗？", ["20时前"], ["d2"], "number"),
    ("q5", "病历出院后几日内归档？", ["七日内"], ["d3"], "number"),
    ("q6", "病历由哪里统一保管？", ["病案室"], ["d3"], "fact"),
    ("q7", "麻醉药品怎样管理？", ["双人双锁管理"], ["d4"], "fact"),
    ("q8", "火星探测器的燃料配方是什么？", [], [], "absent"),
    ("q9", "月球基地的租金是多少？", [], [], "absent"),
    ("q10", "处方保存几年？", ["三年"], ["d4"], "number"),
)


def write_set(folder, questions=QUESTIONS, documents=DOCUMENTS):
    """The schema of shared/data in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    corpus = [
        {"id": name, "title": title, "text": text, "source": "test"}
        for name, (title, text) in documents.items()
    ]
    asked = [
        {
            "id": name,
            "question": text,
            "answers": answers,
            "positive_ids": positives,
            "answerable": bool(positives),
            "type": kind,
        }
        for name, text, answers, positives, kind in questions
    ]
    write_lines(folder / "corpus.jsonl", corpus)
    write_lines(folder / "questions.jsonl", asked)
    return folder


def write_lines(path, rows):
    path.write_text(
        "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8"
    )


def settings_in(folder, **sections):
    """Extractive answering with thresholds that suit the hashed encoder, runs under ``folder``."""
    from rag.settings import Settings

    values = {
        "eval": {"directory": folder / "runs"},
        "answer": {"llm": "extractive", "answered": 0.6, "uncertain": 0.35},
        "retrieve": {"top_k": 2},
        "reader": {"enabled": False},  # the evidence is the encoder's alone, as the tests foresee
    }
    for name, section in sections.items():
        values[name] = values.get(name, {}) | section
    return Settings.model_validate(values)


class E5LikeEncoder(HashedBigramEncoder):
    """Hashed bigrams with cosines from 0.8 up, where the product's evidence model reads them."""

    def __init__(self):
        super().__init__(dimension=257)

    def _encode(self, texts):
        vectors = super()._encode(texts)
        vectors[:, :-1] *= np.float32(0.2**0.5)
        vectors[:, -1] = np.float32(0.8**0.5)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class SlowEncoder(E5LikeEncoder):
    """Takes ``seconds`` for each question."""

    def __init__(self, seconds):
        super().__init__()
        self._seconds = seconds

    def encode_query(self, texts):
        time.sleep(self._seconds)
        return super().encode_query(texts)


def main(folder, out, seconds):
    from rag.evaluate.dataset import load
    from rag.evaluate.plan import Plan
    from rag.evaluate.run import run

    plan = Plan(load(Path(folder)), settings_in(Path(folder).parent))
    run(plan, out=Path(out), encoder=SlowEncoder(float(seconds)))


if __name__ == "__main__":
    main(*sys.argv[1:])
