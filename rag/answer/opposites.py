"""Words of opposite meaning that two clauses may have in the same place: 餐前 and 餐后, 升高 and 降低.

Only pairs whose both sides are common in rules and leaflets; a pair says nothing when a clause
holds both.
"""

import re

OPPOSITES = tuple(
    (re.compile(one), re.compile(other))
    for one, other in (
        (
            "增加|增多|增长|增大|增高|上升|升高|提高|上调|加快|延长",
            "减少|减小|降低|下降|下调|缩短|减慢|减轻",
        ),
        ("餐前|空腹", "餐后|餐中"),
        ("术前", "术后"),
        ("之前|以前", "之后|以后"),
        ("早晨|上午", "晚|睡前|下午"),
        ("左侧?", "右侧?"),
        ("继续使用|可继续|继续服用", "丢掉|停用|停药|停止"),
        ("立即|尽快", "暂缓|推迟|延后|择期"),
        ("首次|第一次", "末次|最后一次"),
        ("阳性", "阴性"),
        ("允许|鼓励", "禁止|严禁"),
        ("开启|打开", "关闭"),
        ("快", "慢"),
        ("冷敷", "热敷"),
        ("冷藏", "冷冻|室温|常温"),
        ("仰卧|平卧", "侧卧|俯卧|坐位"),
        ("自愿", "强制"),
        ("公开", "保密"),
        ("国产", "进口"),
        ("男性?", "女性?"),
    )
)
# Characters that turn a word round: 术前 and 术后, 高浓度 and 低浓度, 左侧 and 右侧.
_PAIRS = (
    "前后",
    "高低",
    "左右",
    "内外",
    "上下",
    "大小",
    "多少",
    "长短",
    "快慢",
    "深浅",
    "轻重",
    "冷热",
    "单双",
)


def are_opposite(own: str, other: str) -> bool:
    """Whether ``own`` says the opposite of ``other``, two clauses in `comparable` form."""
    if any(
        _swap(own, other, one, opposite)
        for pair in _PAIRS
        for one, opposite in ((pair[0], pair[1]), (pair[1], pair[0]))
    ):
        return True
    for one, its_opposite in OPPOSITES:
        for first, second in ((one, its_opposite), (its_opposite, one)):
            if (
                first.search(own)
                and second.search(other)
                and not second.search(own)
                and not first.search(other)
            ):
                return True
    return False


def _swap(own: str, other: str, one: str, opposite: str) -> bool:
    """Whether ``own`` has ``one`` where ``other`` has ``opposite``: 术前 for 术后, 高浓度 for 低浓度."""
    if one not in own or opposite not in other:
        return False
    for beside in (r"([^\W\d]){}(?![列瞻续者人])", r"(?<![^\W\d]){}([^\W\d])", r"{}([^\W\d])"):
        one_own, opposite_own = (set(re.findall(beside.format(c), own)) for c in (one, opposite))
        one_other, opposite_other = (
            set(re.findall(beside.format(c), other)) for c in (one, opposite)
        )
        if (one_own - opposite_own) & (opposite_other - one_other):
            return True
    return False
