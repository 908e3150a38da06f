"""The first clause of a sentence turned round: 甲由乙填写 and 乙填写甲 say the same.

Each pattern holds for a whole clause whose subject is a run of nouns; what follows the clause is
left out, because its subject may be the one that moved.
"""

import re
from random import Random

from training.claim_rewrites import DEPENDENT_NEXT
from training.claim_text import clauses, has_class, is_balanced, read_sentence, words_between

_SUBJECT = "(?P<s>[^，。；：、（）“”的了]{2,16}?)"
_REST = "(?P<r>[^，。；：、（）]{2,30})"
_PLACE = "(?P<r>(?!一|.*(?:家庭|之间|附近|周边))[^，。；：、（）的]{2,16})"
_YEAR = r"(?P<r>\d{4}年(?:\d{1,2}月(?:\d{1,2}日)?)?)"
_AMOUNT = r"(?P<r>[\d.,万亿]+[^，。；：、（）\d]{1,5})"
_PERIOD = r"\d*(?:个月|周|天|日|小时|分钟|年|季度|月|班|晚)"
_MADE = (
    "填写|保管|管理|执导|主演|创办|创作|编写|设计|建造|发行|出版|制作|负责|审签|保存|配制|承担|主持|开发|"
    "创立|发明"
)
# Clause, and what it becomes; s is the subject, r the rest, v the verb.
_PATTERNS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (rf"{_SUBJECT}(?:出生|生)于{_PLACE}", ("{s}的出生地是{r}", "{r}是{s}的出生地")),
    (rf"{_SUBJECT}毕业于{_PLACE}", ("{s}是{r}的毕业生", "{s}毕业的学校是{r}")),
    (rf"{_SUBJECT}位于{_PLACE}", ("{s}的位置在{r}", "{r}是{s}的所在地", "{s}坐落在{r}")),
    (
        rf"{_SUBJECT}(?:成立|创立|建立)于{_YEAR}",
        ("{s}的成立时间是{r}", "{s}在{r}成立", "{r}，{s}成立"),
    ),
    (
        rf"{_SUBJECT}于{_YEAR}(?P<v>成立|创立|出版|发行|上映|逝世|去世|通车|启用|开业)",
        ("{s}是{r}{v}的", "{r}，{s}{v}", "{s}{v}的时间是{r}"),
    ),
    (
        rf"{_SUBJECT}(?:生|出生)于{_YEAR}",
        ("{s}的出生时间是{r}", "{s}是{r}出生的", "{r}，{s}出生"),
    ),
    (
        rf"{_SUBJECT}(?P<v>面积|人口|海拔|全长|总面积)(?:约)?为?{_AMOUNT}",
        ("{s}的{v}是{r}", "{s}有{r}的{v}"),
    ),
    (
        rf"{_SUBJECT}由(?P<r>[^，。；：、（）由]{{2,12}})(?P<v>{_MADE})",
        ("{r}{v}{s}", "负责{v}{s}的是{r}", "{v}{s}的是{r}"),
    ),
    (
        rf"{_SUBJECT}(?:不得|不可|不能|禁止|严禁){_REST}",
        ("不允许{s}{r}", "{s}是不可以{r}的", "禁止{s}{r}", "{s}{r}是不允许的"),
    ),
    (
        rf"{_SUBJECT}(?:必须|须|应当|应该|应){_REST}",
        ("{s}有必要{r}", "要求{s}{r}", "{s}应当要{r}", "规定{s}{r}"),
    ),
    (
        rf"{_SUBJECT}禁用(?P<r>[^，。；：、（）]{{2,12}})",
        ("{r}禁用于{s}", "{s}不得使用{r}", "{r}不能给{s}使用"),
    ),
    (rf"{_SUBJECT}禁用", ("{s}不能使用", "{s}不可以用", "禁止{s}使用")),
    (
        rf"{_SUBJECT}(?P<v>达到|低于|高于|超过|少于|大于)(?P<q>\d[^，。；：、（）时]{{1,14}})时{_REST}",
        ("如果{s}{v}{q}，就{r}", "{s}一旦{v}{q}，{r}", "{r}的条件是{s}{v}{q}"),
    ),
    (
        rf"{_SUBJECT}(?P<q>\d[^，。；：、（）内]{{1,8}})内{_REST}",
        ("{s}在{q}之内{r}", "{s}{r}的时限是{q}"),
    ),
    (
        rf"{_SUBJECT}每(?P<q>{_PERIOD})(?P<r>[^，。；：、（）每\d由]{{2,8}})一次",
        ("{s}{r}的频率是每{q}一次", "每{q}对{s}{r}一次"),
    ),
    (
        rf"{_SUBJECT}(?P<v>不超过|至少|最多|最长|不少于)(?P<r>\d[^，。；：、（）]{{1,8}})",
        ("{s}的要求是{v}{r}", "关于{s}，规定{v}{r}"),
    ),
    (rf"{_SUBJECT}为(?P<r>\d[^，。；：、（）]{{1,12}})", ("{s}是{r}", "{r}是{s}")),
)
_IN_SUBJECT = frozenset(("vn", "an", "b", "j", "l", "eng", "m", "q", "a", "f", "s"))
_COMPILED = tuple((re.compile(pattern), forms) for pattern, forms in _PATTERNS)


def rephrase(text: str, random: Random) -> str | None:
    """The first clause said the other way round; None where no pattern fits it."""
    parts = clauses(text)
    clause = parts[0]
    if len(parts) > 1 and (DEPENDENT_NEXT.search(parts[1]) or "、" in parts[1][:6]):
        return None
    if not is_balanced(clause) or len(clause) < 6:
        return None
    ways = []
    for pattern, forms in _COMPILED:
        match = pattern.fullmatch(clause)
        if match is None or not _is_subject(clause, match.end("s")):
            continue
        rest = match.groupdict().get("r") or ""
        maker = read_sentence(rest).words if "{r}{v}{s}" in forms else ()
        if maker and (has_class(maker, "dpc") or maker[-1].flag[:1] != "n"):
            continue
        ways += [form.format(**match.groupdict()) for form in forms]
    return random.choice(ways) if ways else None


def _is_subject(clause: str, end: int) -> bool:
    """Whether the clause opens with a run of nouns that ends here; 治疗 and 检查 count as such."""
    sentence = read_sentence(clause)
    words = words_between(sentence, 0, end)
    return (
        end in sentence.borders
        and all(word.flag in _IN_SUBJECT or word.flag[0] == "n" for word in words)
        and (words[-1].flag[0] == "n" or words[-1].flag in ("vn", "j", "l", "eng"))
        and not re.search("规定|要求|^[该此其这那本]", clause[:end])
    )
