"""Names in a claim that no passage holds: who, where, what drug, what organ, what examination.

Found by rule: Latin words, quoted titles, places, and Chinese words that end the way names of
their kind end (科, 委员会, 动脉, 霉素). A name counts as held when its last characters stand in a
passage, in `comparable` form.

Not covered: names without such an ending, people's names, abbreviations that only experts resolve.
"""

import re
from collections.abc import Iterator, Sequence

from rag.answer.clauses import comparable
from rag.answer.entities import entities
from rag.answer.numbers import without_quantities
from rag.chinese import match_form

_QUOTED = re.compile('[《「『“"]([^》」』”"]{2,30})[》」』”"]')
_LATIN = re.compile(r"[a-z][a-z0-9.\-]+")
# Latin words that a passage may write in Chinese.
_TRANSLATED = {
    "ai": "人工智能", "ct": "断层", "mri": "磁共振", "icu": "重症", "b超": "超声", "app": "手机",
    "pm": "下午", "am": "上午", "hiv": "艾滋", "llm": "大模型", "ok": "", "qq": "", "pda": "终端",
}  # fmt: skip
_HAN = "\u4e00-\u9fff"
# Each pattern's match is the part of a name that a passage must hold.
# Each pattern: the characters that tell one from another (group 1), and what names of its kind
# end in (group 2); or whole words.
_KINDS = tuple(
    re.compile(pattern)
    for pattern in (
        # Departments and bodies.
        rf"([{_HAN}]{{2}})(科(?![学室目技研员里])|部(?![位分门队署])|处(?![理方置分于在罚所])"
        rf"|局(?![部面限])|办(?![理法公事结])|室(?![温性速颤])|委员会|中心(?!静)|药房|医院|公司"
        rf"|协会|学会|学院|大学|法院|保险|小组|银行)",
        # Roles.
        rf"([{_HAN}]{{2}})(医师|护士|药师|技师|律师|工程师|会计师)",
        r"监护人|法定代理人|继承人|配偶|律师|警察|志愿者|护工|所在单位",
        # Drugs and substances.
        rf"([{_HAN}])(霉素|西林|沙星|硝唑|康唑|洛尔|地平|普利|沙坦|他汀|拉唑|列汀|列净|双胍|巴比妥"
        rf"|西泮|唑仑|单抗|替丁|米松|松龙|激素|肝素|脲|甲状腺素|肾上腺素|巴胺|酚胺|杉醇|新碱|疫苗)",
        r"血[钠钾钙镁磷糖脂氨酮常]|氯化[钠钾钙]|碳酸氢?[钠钙]|硫酸[镁锌亚]|葡萄糖注射液|生理盐水"
        r"|注射用水|酒精|碘伏|氯己定|双氧水|胰岛素|甲状腺素|吗啡|芬太尼|阿托品",
        # Parts of the body.
        rf"([{_HAN}])(动脉|静脉)",
        r"大腿|小腿|上臂|前臂|手背|手掌|足背|臀部|腹部|胸部|背部|颈部|腰部|头部|三角肌",
        # Examinations.
        r"胸片|磁共振|超声|心电图|脑电图|造影(?!剂)|血常规|尿常规|肝功能|肾功能|凝血功能|心功能"
        r"|肺功能|胃镜|肠镜|活检|血气|骨髓|腰穿",
        # Colours and materials of what is marked by them.
        r"[红橙黄绿蓝紫黑白灰棕](?=色|牌|标|底|字|签|区|袋|码|灯)|透明(?!敷料)|玻璃瓶",
    )
)
# Characters that end what stands before a name and begin none.
_NO_NAME = frozenset(
    "的了着过打用者没带出就往别有间住替看要顶能可不也在把给让被去来找由和与或及向从到对为是"
    "一二三四五六七八九十两个间些好何住短长难高低这那每各本该全我某哪几多其另前后上下以时将叫请做写说送得于等须应使或需经报"
)
# 好处 and 一部 are no departments: before these stand at least two characters of a name.
_NEEDS_TWO = frozenset("部处局办室")


def missing_names(claim: str, evidence: Sequence[str]) -> tuple[str, ...]:
    """The names of ``claim`` that no text of ``evidence`` holds."""
    text = comparable(claim)
    present = "\n".join(comparable(passage) for passage in evidence)
    missing = [name for name in _names(claim, text) if not _is_held(name, present)]
    return tuple(dict.fromkeys(missing))


def _names(claim: str, text: str) -> Iterator[str]:
    latin = match_form(without_quantities(claim))
    yield from _LATIN.findall(latin)
    yield from (comparable(found) for found in _QUOTED.findall(claim) if len(found) <= 30)
    yield from (name for name in entities(claim) if re.match(f"[{_HAN}]", name))
    for kind in _KINDS:
        for found in kind.finditer(text):
            if kind.groups == 0:
                yield found[0]
            else:
                distinct = _behind_last(found[1])
                if len(distinct) > (found[2] in _NEEDS_TWO):
                    yield distinct + found[2]


def _behind_last(prefix: str) -> str:
    """What follows the last character of ``prefix`` that belongs to no name."""
    last = max((i for i, character in enumerate(prefix) if character in _NO_NAME), default=-1)
    return prefix[last + 1 :]


def _is_held(name: str, present: str) -> bool:
    if name in present or _TRANSLATED.get(name, "\0") in present:
        return True
    # 省级医院 is held by 省级综合医院: its own characters and its ending, near each other.
    own, ending = name[:2], name[2:]
    return bool(ending) and bool(
        re.search(f"{re.escape(own)}[{_HAN}]{{0,4}}{re.escape(ending)}", present)
    )
