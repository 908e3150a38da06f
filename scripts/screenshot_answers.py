"""What the pictures of `screenshots` show: clinical answers in every state, in our own words."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from rag.answer.follow_up import Rewritten
from rag.errors import LanguageModelUnavailable
from rag.offsets import OffsetMap
from rag.types import Answer, Citation, Document, Hit, Sentence, State, Verdict

MODEL = "qwen3:8b（Ollama）"
DIGEST = "sha256:" + "5c1e9a70" * 8


def document(name: str, title: str, text: str) -> Document:
    return Document(name, title, text, text, OffsetMap.identity(len(text)))


INFUSION = document(
    "护理/静脉输液护理常规.pdf",
    "静脉输液护理常规",
    "三、输液中的观察\n输液开始后15～30分钟内须床旁观察，重点看有无发热、皮疹、胸闷。滴速成人每分钟40～60滴，"
    "老年人与心功能不全者每分钟20～40滴。含钾液体不得静脉推注，浓度不超过0.3%。\n"
    "四、输液反应\n出现寒战、高热时立即停止输液，更换输液器，保留剩余药液送检，并在30分钟内报告医师。",
)
LEAFLET = document(
    "药品说明书/阿莫西林胶囊.docx",
    "阿莫西林胶囊说明书",
    "用法用量：口服。成人每次0.5克，每6～8小时1次，一日剂量不超过4克。肾功能严重损害者须调整剂量。\n"
    "禁忌：对青霉素类过敏者禁用；传染性单核细胞增多症患者不宜使用。",
)
OLD_RULES = document(
    "制度/手卫生管理规定（2021）.docx",
    "手卫生管理规定（2021）",
    "外科手消毒前先用流动水和洗手液揉搓，时间不少于5分钟。",
)
NEW_RULES = document(
    "制度/手卫生管理规定（2025）.docx",
    "手卫生管理规定（2025修订）",
    "外科手消毒的揉搓时间按产品说明书执行，一般为2～3分钟，不再统一规定5分钟。",
)
DOCUMENTS = {each.id: each for each in (INFUSION, LEAFLET, OLD_RULES, NEW_RULES)}


def cited(mark: int, source: Document, quote: str, **fields: Any) -> Citation:
    start = source.text.index(quote)
    plain = Citation(mark, source.id, source.title, start, start + len(quote), quote)
    return replace(plain, **{"original": quote, **fields})


SPEED = "输液时成人滴速是多少？"
ELDERLY = "那老年人呢？"
ELDERLY_WHOLE = "输液时老年人滴速是多少？"
WASHING = "外科手消毒要揉搓多久？"
DOSE = "阿莫西林成人一天最多吃多少？"
FEVER = "输液时寒战高热怎么办？"
MISSING = "阿莫西林胶囊多少钱一盒？"
FAILING = "含钾液体能不能静脉推注？"
SLOW_SEARCH = "输液反应多久内要报告医师？"
FOUND = cited(
    1,
    INFUSION,
    "滴速成人每分钟40～60滴",
    heading="静脉输液护理常规 > 三、输液中的观察",
    page=2,
    date="2025-03-01",
)
SLOWER = cited(2, INFUSION, "老年人与心功能不全者每分钟20～40滴", page=2, date="2025-03-01")
NEWER = cited(1, NEW_RULES, NEW_RULES.text, date="2025-06-10")
OLDER = cited(2, OLD_RULES, OLD_RULES.text, date="2021-04-02")
LIMIT = cited(1, LEAFLET, "成人每次0.5克，每6～8小时1次，一日剂量不超过4克", date="2024-08-12")
STOPPING = cited(
    1,
    INFUSION,
    "立即停止输液，更换输液器，保留剩余药液送检，并在30分钟内报告医师",
    page=2,
    date="2025-03-01",
    original="立即停止输液,更换输液器,保留剩余药液\n送检,并在3O分钟内报告医师",
)
SUPPORTED, NUMBER, UNSUPPORTED = Verdict.SUPPORTED, Verdict.NUMBER_MISMATCH, Verdict.UNSUPPORTED


def answer(question: str, text: str, *citations: Citation, **fields: Any) -> Answer:
    timings = {"search": 0.21, "first_text": 0.94, "generate": 2.63, "verify": 0.12, "total": 2.96}
    whole = Answer(question, question, State.ANSWERED, text, citations=citations)
    return replace(whole, **{"model": MODEL, "timings": timings, **fields})


ANSWERS = {
    SPEED: answer(
        SPEED,
        "成人每分钟40～60滴[1]。老年人和心功能不全者要慢一些，每分钟20～40滴[2]。",
        FOUND,
        SLOWER,
        sentences=(
            Sentence("成人每分钟40～60滴。", (1,), SUPPORTED),
            Sentence("老年人和心功能不全者要慢一些，每分钟20～40滴。", (2,), SUPPORTED),
        ),
        timings={"search": 0.21, "thinking": 6.4, "first_text": 7.3, "verify": 0.12, "total": 9.4},
        thinking="问的是滴速。资料[1]给出成人每分钟40～60滴，[2]另有老年人的数值，一并列出。",
    ),
    ELDERLY_WHOLE: answer(
        ELDERLY_WHOLE,
        "老年人与心功能不全者每分钟20～40滴[1]。",
        replace(SLOWER, mark=1),
        sentences=(Sentence("老年人与心功能不全者每分钟20～40滴。", (1,), SUPPORTED),),
    ),
    WASHING: answer(
        WASHING,
        "按产品说明书执行，一般为2～3分钟[1]；2021年的规定曾要求不少于5分钟[2]。",
        NEWER,
        OLDER,
        sentences=(
            Sentence(
                "按产品说明书执行，一般为2～3分钟；2021年的规定曾要求不少于5分钟。",
                (1, 2),
                SUPPORTED,
            ),
        ),
        notices=(
            "资料说法不一：2025-06-10 的《手卫生管理规定（2025修订）》为2～3分钟，"
            "2021-04-02 的《手卫生管理规定（2021）》为5分钟。请以较新者为准并核对原文。",
        ),
    ),
    DOSE: answer(
        DOSE,
        "成人每次0.5克，每6～8小时1次[1]。一日剂量不超过6克[1]。饭后服用效果更好[1]。",
        LIMIT,
        sentences=(
            Sentence("成人每次0.5克，每6～8小时1次。", (1,), SUPPORTED),
            Sentence("一日剂量不超过6克。", (1,), NUMBER, ("6克",)),
            Sentence("饭后服用效果更好。", (1,), UNSUPPORTED, (), ("引用的资料没有说到饭后服用",)),
        ),
        state=State.UNCERTAIN,
    ),
    FEVER: answer(
        FEVER,
        "立即停止输液，更换输液器，保留剩余药液送检，并在30分钟内报告医师[1]。",
        STOPPING,
        sentences=(
            Sentence(
                "立即停止输液，更换输液器，保留剩余药液送检，并在30分钟内报告医师。",
                (1,),
                SUPPORTED,
            ),
        ),
        state=State.UNCERTAIN,
    ),
    MISSING: answer(
        MISSING,
        "资料中未找到相关内容。",
        state=State.NOT_FOUND,
        model="",  # no model is asked where the evidence does not suffice
        timings={"search": 0.21, "total": 0.23},
    ),
}


class Scripted:
    """Answers as written above; ``lingers`` for some seconds in the "thinking" or the "text", for a
    picture, and ``is_timed`` says that it once did to the end."""

    model_label = MODEL

    def __init__(self) -> None:
        self.lingers = ""
        self.is_timed = False

    def stream(self, question: str, **_: object) -> Iterator[Answer]:
        if question == FAILING:
            raise LanguageModelUnavailable("Ollama 没有应答。请运行 ollama serve，然后重试")
        if question == SLOW_SEARCH:
            time.sleep(5)
        whole = ANSWERS.get(question, ANSWERS[MISSING])
        whole = replace(whole, question=question, search_question=question)
        partial = replace(whole, citations=(), sentences=(), notices=(), finished=False)
        if whole.thinking:
            yield from self._lingering(replace(partial, text=""), "thinking")
        half = whole.text[: len(whole.text) * 2 // 3]
        yield from self._lingering(replace(partial, text=half), "text")
        yield whole

    def _lingering(self, partial: Answer, name: str) -> Iterator[Answer]:
        yield partial
        for _ in range(80 if self.lingers == name else 0):
            time.sleep(0.1)
            yield partial

    def search(self, question: str, **_: object) -> tuple[Hit, ...]:
        del question
        return ()

    def document(self, id: str) -> Document:
        return DOCUMENTS[id]


def stand_alone(history: Sequence[Any], question: str) -> Rewritten:
    """As the product would: only the follow-up above leans on what was asked before."""
    is_follow_up = bool(history) and question == ELDERLY
    return Rewritten(ELDERLY_WHOLE if is_follow_up else question, is_follow_up, "rule")


def follow_ups(answer: Answer, _: Sequence[str]) -> tuple[str, ...]:
    return (FEVER, "含钾液体的浓度上限是多少？") if answer.state is State.ANSWERED else ()
