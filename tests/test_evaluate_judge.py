"""The optional judge: Chinese prompts, its own field, never a metric."""

from dataclasses import replace

import pytest
from evaluation_sets import E5LikeEncoder, settings_in, write_set
from scripted_model import ScriptedModel

from rag.errors import LanguageModelUnavailable, SettingsError
from rag.evaluate.dataset import load
from rag.evaluate.judge import LlamaIndexJudge, agreement, read_score
from rag.evaluate.plan import Plan
from rag.evaluate.questions import Question
from rag.evaluate.run import run
from rag.settings import Settings

QUESTION = Question("q", "几年？", ("三年",), frozenset(), True)
ANSWER = {
    "state": "answered",
    "sentences": [{"text": "处方保存三年。"}],
    "citations": [{"quote": "处方保存三年。"}],
}


def test_both_opinions_are_asked_for_in_chinese():
    model = ScriptedModel("4.5\n与参考答案一致 YES")
    opinion = LlamaIndexJudge(model)(QUESTION, ANSWER)
    assert opinion == {
        "model": "剧本",
        "correctness": 4.5,
        "feedback": "与参考答案一致 YES",
        "faithful": True,
    }
    correctness, faithfulness = (prompt[-1].content for prompt in model.prompts)
    assert "参考答案：三年\n系统回答：处方保存三年。" in correctness
    assert "资料：处方保存三年。" in faithfulness
    assert "说法：处方保存三年。" in faithfulness
    assert "Please" not in correctness + faithfulness


def test_a_refusal_is_not_judged():
    model = ScriptedModel("5")
    assert LlamaIndexJudge(model)(QUESTION, ANSWER | {"state": "not_found"}) == {}
    assert model.prompts == []


def test_a_judge_that_fails_says_so():
    model = ScriptedModel(LanguageModelUnavailable("没有服务"))
    assert LlamaIndexJudge(model)(QUESTION, ANSWER) == {"model": "剧本", "error": "没有服务"}


@pytest.mark.parametrize(
    ("reply", "score"),
    [
        ("4", 4.0),
        ("分数：3.5 分\n因为……", 3.5),
        ("5/5", 5.0),
        ("很好", None),
        ("10", None),
        ("", None),
    ],
)
def test_scores_are_read_from_what_small_models_write(reply, score):
    assert read_score(reply)[0] == score


def test_agreement_and_kappa():
    rows = [
        {"judge": {"model": "m", "correctness": score}, "metrics": {"outcome.correct": right}}
        for score, right in ((5, 1.0), (4, 1.0), (2, 0.0), (5, 0.0))
    ]
    found = agreement(rows)
    assert found["agreement"] == 0.75
    # judged right 3 of 4, measured 2 of 4: chance 3/4·1/2 + 1/4·1/2 = 0.5; (0.75 - 0.5) / 0.5
    assert found["kappa"] == 0.5
    assert found["correctness"] == 4.0
    assert found["faithful"] is None


def test_opinions_stand_apart_from_the_metrics(tmp_path):
    plan = Plan(load(write_set(tmp_path / "set")), settings_in(tmp_path), limit=3)
    plain = run(plan, encoder=E5LikeEncoder())
    judge = LlamaIndexJudge(ScriptedModel("1\nNO"))
    judged = run(replace(plan, with_judge=True), encoder=E5LikeEncoder(), judge=judge)
    assert judged.directory != plain.directory
    assert judged.summary["metrics"] == plain.summary["metrics"]
    assert judged.summary["judge"]["correctness"] == 1.0
    assert judged.summary["judge"]["faithful"] == 0.0
    assert "judge" not in plain.summary


def test_without_a_model_there_is_no_judge():
    with pytest.raises(SettingsError, match="没有可作评审的语言模型"):
        LlamaIndexJudge.from_settings(Settings.model_validate({"answer": {"llm": "extractive"}}))
