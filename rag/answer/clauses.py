"""A text as clauses that can be laid beside those of another text.

Clauses are in `match_form`, with the everyday word replaced by the one documents use
(`SYNONYMS`), so that 病人饭前吃药 and 患者餐前服药 share their words.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from rag.chinese import match_form
from rag.sentences import sentence_spans

_BREAK = re.compile(r"(?<!\d)[，,]|[，,](?!\d)|[；;：:。！？!?\n|]")
# The word on the right is the one that is kept. Longer ones come first.
SYNONYMS = {
    "医务人员": "医护人员", "病人": "患者", "病患": "患者", "医生": "医师", "大夫": "医师",
    "孩子": "儿童", "小孩": "儿童", "宝宝": "婴儿", "孕妇": "妊娠", "怀孕": "妊娠",
    "饭前": "餐前", "饭后": "餐后", "随餐": "餐中", "空肚子": "空腹",
    "服药": "服用", "吃药": "服用", "口服": "服用", "吃": "服用", "喝": "饮", "打针": "注射",
    "之前": "前", "以前": "前", "之后": "后", "以后": "后", "手术之前": "术前", "手术之后": "术后",
    "手术后": "术后", "手术前": "术前", "开刀": "手术", "心梗": "心肌梗死", "脑梗": "脑梗死",
    "伤口": "切口", "发烧": "发热", "量血压": "测血压", "抽血": "采血", "复诊": "复查",
    "必须": "须", "应当": "应", "需要": "须", "需": "须", "务必": "须", "一定要": "须",
    "可以": "可", "能够": "可", "允许": "可", "准许": "可", "能": "可",
    "不准": "不得", "不许": "不得", "不让": "不得", "不行": "不可", "别": "不",
    "马上": "立即", "立刻": "立即", "随即": "立即", "尽早": "尽快", "及早": "尽快",
    "丢弃": "丢掉", "扔掉": "丢掉", "弃去": "丢掉", "倒掉": "丢掉",
    "低温": "冷藏", "冰冻": "冷冻", "院内": "医院内", "院里": "医院内",
    "静脉推注": "静脉注射", "静推": "静脉注射", "静注": "静脉注射", "静滴": "静脉滴注",
    "肌肉注射": "肌内注射", "肌注": "肌内注射", "实习生": "实习医师", "化验": "检验",
    "早上": "早晨", "清晨": "早晨", "晚上": "晚", "夜间": "晚", "合用": "联用", "并用": "联用",
    "合格比例": "合格率", "比例": "率", "比率": "率", "卫生健康委员会": "卫健委",
}  # fmt: skip
_WORD = re.compile(
    r"(?<![个级类性识特分区差辨])别(?!人|处|名|的)|(?<![功可职技性机智效])能(?![力量源级耗效动])|"
    + "|".join(
        re.escape(word)
        for word in sorted(SYNONYMS, key=len, reverse=True)
        if word not in ("别", "能")
    )
)
# Words that carry no subject: what is compared is the rest.
_EMPTY = re.compile(
    r"[的了着过吗呢吧啊也还就都而且则即其该此这那之与和及或]|一下|进行|予以|给予|加以"
)


@dataclass(frozen=True, slots=True)
class Clause:
    """``text`` in comparable form; ``grams`` its bigrams; ``sentence`` the number of its
    sentence in the text."""

    text: str
    grams: frozenset[str]
    sentence: int


def comparable(text: str) -> str:
    """`match_form` with documents' words for everyday ones, without white space."""
    return _WORD.sub(lambda found: SYNONYMS[found[0]], "".join(match_form(text).split()))


@lru_cache(maxsize=2048)
def clauses(text: str) -> tuple[Clause, ...]:
    """The clauses of a text in order; pieces without a letter are left out."""
    found = []
    for number, (start, end) in enumerate(sentence_spans(text)):
        for piece in _BREAK.split(text[start:end]):
            if any(character.isalnum() for character in piece):
                form = comparable(piece)
                found.append(Clause(form, grams(form), number))
    return tuple(found)


@lru_cache(maxsize=8192)
def grams(text: str) -> frozenset[str]:
    """Pairs of neighbouring characters of a `comparable` text, empty words left out; Latin words
    and numbers whole; a single character stands for itself."""
    found: set[str] = set()
    for run in re.findall(r"[a-z0-9.%]+|[^\W_a-z0-9]+", _EMPTY.sub(" ", text)):
        if run[0].isascii() or len(run) == 1:
            found.add(run)
        else:
            found.update(run[i : i + 2] for i in range(len(run) - 1))
    return frozenset(found)
