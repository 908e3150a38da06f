"""What a model wrote is checked, asked for once more, repaired, and never shown as proven when
it is not."""

import time
from collections.abc import Generator, Sequence

import pytest
from scripted_model import ScriptedModel

from rag.answer.cite import cite
from rag.answer.llm import Delta, Message
from rag.answer.tokens import estimate_messages
from rag.errors import LanguageModelBroken, LanguageModelError
from rag.generate import GenerateOptions, finish, generate
from rag.language import EXTRACTIVE
from rag.offsets import OffsetMap
from rag.types import Answer, Document, Hit, Passage, State, Verdict

ASPIRIN = "阿司匹林肠溶片每日一次，每次100毫克，餐前服用。有消化道出血史者禁用。"
CARE = "患者术后两周到门诊复查伤口。体温超过38.5℃时立即就诊。一个月内不提超过5公斤的重物。"
FEES = "病历复印每页收费0.5元，邮寄另付运费。住院病历保存不少于30年。"
TEXTS = {"药": ASPIRIN, "护": CARE, "病": FEES}
DOCUMENTS = {
    name: Document(name, f"{name}物资料", text, text, OffsetMap.identity(len(text)))
    for name, text in TEXTS.items()
}
HITS = tuple(
    Hit(Passage(name, 0, len(text), text), DOCUMENTS[name].title, 0.9 - i / 10)
    for i, (name, text) in enumerate(TEXTS.items())
)
QUOTED = Answer("问", "问", State.ANSWERED, "摘录。", model="摘录")


class Turns(ScriptedModel):
    """A scripted model with one script for each call."""

    def __init__(self, *scripts: Sequence[str | Delta | LanguageModelError]) -> None:
        super().__init__()
        self._scripts = list(scripts)

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, temperature: float
    ) -> Generator[Delta, None, None]:
        self._script = tuple(self._scripts.pop(0))
        return super().stream(messages, max_tokens=max_tokens, temperature=temperature)


class Checker:
    """Supports a claim where the passage holds one of ``words``; remembers what it was asked."""

    def __init__(self, *words: str) -> None:
        self.words = words
        self.pairs: list[tuple[str, str]] = []

    def support(self, pairs: Sequence[tuple[str, str]]) -> Sequence[float]:
        self.pairs += pairs
        return [0.9 if any(word in text for word in self.words) else 0.1 for _, text in pairs]


def run(
    model: ScriptedModel | str,
    *,
    question: str = "如何服药？",
    hits: Sequence[Hit] = HITS,
    checker: Checker | None = None,
    **options: object,
) -> list[Answer]:
    if isinstance(model, str):
        options = {"regenerate": False, **options}
        model = ScriptedModel(model)
    base = Answer(question, question, State.ANSWERED, "", hits=tuple(hits), finished=False)
    return list(
        generate(
            base,
            model,
            document=DOCUMENTS.__getitem__,
            extractive=lambda answer: Answer(
                **{name: getattr(answer, name) for name in Answer.__dataclass_fields__}
                | {"text": QUOTED.text, "sentences": (), "citations": ()}
            ),
            options=GenerateOptions(max_tokens=256, **options),  # type: ignore[arg-type]
            checker=checker,
            started=time.perf_counter(),
        )
    )


def last(*arguments: object, **options: object) -> Answer:
    return run(*arguments, **options)[-1]  # type: ignore[arg-type]


# Streaming


def test_a_sentence_is_unchecked_until_its_verdict_is_known() -> None:
    *partial, final = run(ScriptedModel("阿司匹林每次100毫克，", "每日一次。[1]"))
    assert {s.verdict for answer in partial for s in answer.sentences} == {Verdict.UNCHECKED}
    assert [sentence.verdict for sentence in final.sentences] == [Verdict.SUPPORTED]
    assert final.finished
    assert not any(answer.finished for answer in partial)


def test_tokens_and_trimmed_passages_are_told() -> None:
    answer = last("阿司匹林每次100毫克，每日一次。[1]")
    assert answer.trimmed == 0
    assert 400 < answer.prompt_tokens < 1500
    assert 15 <= answer.output_tokens <= 40
    long = [Hit(Passage("药", 0, len(ASPIRIN), ASPIRIN), "说明" * 9000, 0.5)]
    assert last("阿司匹林每次100毫克，每日一次。[1]", hits=[*HITS, *long]).trimmed == 1


# Citations


def test_a_sentence_without_a_mark_gets_the_passage_that_supports_it() -> None:
    answer = last("体温超过38.5℃时应立即就诊。")
    assert answer.text == "体温超过38.5℃时应立即就诊。[1]"
    assert answer.citations[0].quote == "体温超过38.5℃时立即就诊。"
    assert answer.state is State.ANSWERED


def test_a_mark_on_the_wrong_passage_is_moved_to_the_right_one() -> None:
    answer = last("阿司匹林每次100毫克，每日一次。[2]\n术后两周到门诊复查伤口。[2]")
    assert [citation.document for citation in answer.citations] == ["药", "护"]
    assert answer.sentences[0].citations == (1,)
    assert {sentence.verdict for sentence in answer.sentences} == {Verdict.SUPPORTED}


def test_a_right_mark_stays_though_another_passage_fits_too() -> None:
    twin = Hit(Passage("药", 0, len(ASPIRIN), ASPIRIN), "另一份", 0.4)
    answer = last("阿司匹林每次100毫克，每日一次。[4]", hits=[*HITS, twin])
    assert len(answer.citations) == 1
    assert answer.hits[3] is twin


def test_a_sentence_that_needs_two_passages_cites_both() -> None:
    answer = last("阿司匹林每次服100毫克，术后两周到门诊复查伤口。", strict=False)
    assert {citation.document for citation in answer.citations} == {"药", "护"}


# Removing and marking


def test_strict_removes_what_is_not_supported_and_says_so() -> None:
    answer = last("阿司匹林每次100毫克。[1]阿司匹林每次服用300毫克。[1]术后两周复查伤口。[2]")
    assert answer.text == "阿司匹林每次100毫克。[1]术后两周复查伤口。[2]"
    assert answer.notices == ("已删去 1 句没有得到资料支持的话。",)
    assert answer.state is State.ANSWERED


def test_otherwise_it_is_marked_with_its_reasons() -> None:
    answer = last("阿司匹林每次100毫克。[1]有消化道出血史者可用。[1]", strict=False)
    right, wrong = answer.sentences
    assert right.verdict is Verdict.SUPPORTED
    assert wrong.verdict is Verdict.UNSUPPORTED
    assert "禁用" in wrong.reasons[0]
    assert answer.state is State.UNCERTAIN


def test_nothing_left_means_the_extractive_answer() -> None:
    answer = last("阿司匹林每次服用300毫克。[1]")
    assert (answer.text, answer.model) == (QUOTED.text, EXTRACTIVE)
    assert "摘录" in answer.notices[0]
    assert answer.finished


@pytest.mark.parametrize("text", ["请咨询医师。", "药物资料", "标题：药物资料[1]", "具体如下："])
def test_an_answer_that_states_nothing_becomes_the_extractive_answer(text: str) -> None:
    assert last(text).text == QUOTED.text


def test_what_is_said_twice_is_shown_once() -> None:
    text = "1. 术后两周复查伤口。[2]\n2. 术后两周复查伤口。[2]\n3. 体温超过38.5℃时立即就诊。[2]"
    assert last(text).text == "1. 术后两周复查伤口。[1]\n3. 体温超过38.5℃时立即就诊。[2]"


def test_a_list_loses_its_wrong_item_only() -> None:
    answer = last("注意事项：\n- 术后两周复查伤口[2]\n- 术后三周拆线[2]\n- 体温超过38.5℃时就诊[2]")
    assert answer.text.split("\n") == [
        "注意事项：",
        "- 术后两周复查伤口[1]",
        "- 体温超过38.5℃时就诊[2]",
    ]


def test_a_list_whose_items_are_all_wrong_loses_its_opening_line_too() -> None:
    answer = last("阿司匹林每次100毫克。[1]\n复查安排如下：\n- 术后三周复查[2]\n- 术后九周复查[2]")
    assert answer.text == "阿司匹林每次100毫克。[1]"


def test_a_wrong_table_row_is_removed_and_the_table_stays() -> None:
    table = "| 药品 | 剂量 |\n| --- | --- |\n| 阿司匹林 | 每次100毫克 |\n| 阿司匹林 | 每次300毫克 |"
    answer = last(table)
    assert answer.text.split("\n") == [
        "| 药品 | 剂量 |",
        "| --- | --- |",
        "| 阿司匹林 | 每次100毫克 |[1]",
    ]


# One more turn


def test_faulty_sentences_are_named_with_their_reasons_and_replaced() -> None:
    model = Turns(
        ["阿司匹林每次300毫克。[1]术后两周复查伤口。[2]"], ["1. 阿司匹林每次100毫克。[1]"]
    )
    *partial, final = run(model)
    assert final.text == "阿司匹林每次100毫克。[1]术后两周复查伤口。[2]"
    assert final.notices == ()
    request = model.prompts[1][-1].content
    assert "1. 阿司匹林每次300毫克。" in request
    assert "300毫克 未在资料中出现" in request
    assert "术后两周" not in request
    assert model.prompts[1][-2] == Message(
        "assistant", "阿司匹林每次300毫克。[1]术后两周复查伤口。[2]"
    )
    # While the model is asked again, the verdicts that are known are shown.
    assert partial[-1].sentences[1].verdict is Verdict.SUPPORTED
    assert partial[-1].sentences[0].verdict is Verdict.NUMBER_MISMATCH
    assert final.prompt_tokens == sum(map(estimate_messages, model.prompts))


def test_what_is_still_wrong_after_the_second_turn_is_removed() -> None:
    model = Turns(
        ["阿司匹林每次300毫克。[1]术后两周复查伤口。[2]"], ["1. 阿司匹林每次200毫克。[1]"]
    )
    assert last(model).text == "术后两周复查伤口。[1]"
    assert len(model.prompts) == 2  # asked once more, not twice


@pytest.mark.parametrize("reply", ["1. 删除", "删除。", "", "（1）删除"])
def test_a_sentence_that_the_model_withdraws_is_removed(reply: str) -> None:
    model = Turns(["阿司匹林每次300毫克。[1]术后两周复查伤口。[2]"], [reply])
    assert last(model).text == "术后两周复查伤口。[1]"


def test_no_second_turn_where_nothing_is_wrong_or_it_is_switched_off() -> None:
    right, wrong = Turns(["术后两周复查伤口。[2]"]), Turns(["术后三周复查伤口。[2]术后两周复查。"])
    assert last(right).text == "术后两周复查伤口。[1]"
    assert last(wrong, regenerate=False).text == "术后两周复查。[1]"


def test_a_second_turn_that_fails_leaves_the_first_answer() -> None:
    model = Turns(
        ["阿司匹林每次300毫克。[1]术后两周复查伤口。[2]"], [LanguageModelBroken("中途停止。请重试")]
    )
    answer = last(model)
    assert answer.text == "术后两周复查伤口。[1]"
    assert any("未能改写" in notice for notice in answer.notices)


def test_closing_the_stream_in_the_second_turn_stops_the_model() -> None:
    model = Turns(["阿司匹林每次300毫克。[1]"], ["1. 阿司匹林", "每次100毫克。[1]"])
    base = Answer("问", "问", State.ANSWERED, "", hits=HITS, finished=False)
    stream = generate(
        base,
        model,
        document=DOCUMENTS.__getitem__,
        extractive=lambda answer: answer,
        options=GenerateOptions(),
        checker=None,
        started=time.perf_counter(),
    )
    while len(model.prompts) < 2:
        next(stream)
    assert model.closed == 1
    stream.close()  # type: ignore[attr-defined]
    assert model.closed == 2


# A trained checker


def test_the_checker_decides_where_the_literal_comparison_passes() -> None:
    text = "溃疡病人别碰它。[1]"
    assert last(text).text == QUOTED.text  # too few words in common
    assert last(text, checker=Checker("消化道")).text == "溃疡病人别碰它。[1]"
    same_words = "两周过后，伤口要去门诊看看恢复得怎样。[2]"
    assert last(same_words, checker=Checker("膝关节")).text == QUOTED.text


def test_the_checker_cannot_overrule_a_wrong_number() -> None:
    checker = Checker("阿司匹林")
    answer = last("阿司匹林每次300毫克。[1]", checker=checker)
    assert answer.text == QUOTED.text
    assert checker.pairs == []


def test_the_checkers_threshold_is_the_settings() -> None:
    text = "两周过后，伤口要去门诊看看恢复得怎样。[2]"
    assert last(text, checker=Checker("伤口"), support=0.95).text == QUOTED.text
    assert last(text, checker=Checker("伤口"), support=0.9).text != QUOTED.text


# Disputes


def test_documents_that_disagree_are_both_shown_the_newer_first() -> None:
    old, new = "全院共有床位800张，护士1200人。", "全院共有床位950张，护士1200人。"
    texts = {"旧": (old, "2023-01-05"), "新": (new, "2025-03-01")}
    hits = [
        Hit(Passage(name, 0, len(text), text), name, 0.9, date=date)
        for name, (text, date) in texts.items()
    ]
    documents = {
        name: Document(name, name, text, text, OffsetMap.identity(len(text)), date=date)
        for name, (text, date) in texts.items()
    }
    cited = cite("全院共有床位950张。[2]", hits, documents.__getitem__)
    answer = finish(
        Answer(
            "床位多少？", "床位多少？", State.ANSWERED, cited.text, hits=tuple(hits),
            sentences=cited.sentences, citations=cited.citations,
        ),
        time.perf_counter(),
    )  # fmt: skip
    (notice,) = answer.notices
    assert notice.index("《新》（2025-03-01）写的是 950张") < notice.index("《旧》（2023-01-05）")


def test_a_question_that_takes_a_wrong_number_for_granted_is_corrected() -> None:
    answer = last("病历复印每页收费0.5元。[3]", question="病历复印每页收费2元，邮寄要另付吗？")
    assert any("问题中的 2元" in notice and "写的是 0.5元" in notice for notice in answer.notices)
    assert last("病历复印每页收费0.5元。[3]", question="病历复印收费多少？").notices == ()


# Speed


def test_five_sentences_take_less_than_20_milliseconds() -> None:
    text = (
        "阿司匹林每次100毫克，每日一次。[1]术后两周复查伤口。[2]体温超过38.5℃时立即就诊。[2]"
        "病历复印每页收费0.5元。[3]住院病历保存不少于30年。[3]"
    )
    last(text)
    assert min(last(text).timings["verify"] for _ in range(5)) < 0.02


class Slow(ScriptedModel):
    """Pauses before every piece."""

    def _replay(self) -> Generator[Delta, None, None]:
        for piece in super()._replay():
            time.sleep(0.03)
            yield piece


@pytest.mark.parametrize("opening", [Delta(thinking="先看资料"), Delta(text="先看资料")])
def test_the_seconds_of_thinking_are_those_between_its_first_and_last_piece(
    opening: Delta,
) -> None:
    ended = Delta(reset=True) if opening.text else Delta(thinking="，有了")
    model = Slow(opening, ended, "每次100毫克。[1]", "餐前服用。[1]")
    answers = run(model, regenerate=False)
    assert answers[-1].thinking.startswith("先看资料")
    timings = answers[-1].timings
    assert 0.03 <= timings["thinking"] < timings["total"] - 0.05  # two pieces of text follow
    growing = [answer.timings["thinking"] for answer in answers if "thinking" in answer.timings]
    assert growing == sorted(growing)


def test_who_does_not_think_has_no_seconds_of_thinking() -> None:
    assert all("thinking" not in answer.timings for answer in run("每次100毫克。[1]"))
