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
_IS_HAN = re.compile("[\u4e00-\u9fff]")
_HAN = "\u4e00-\u9fff"
# Each pattern's match is the part of a name that a passage must hold.
# Kinds of names. Group 1 of a pattern is what tells one from another, group 2 what names of its
# kind end in; a pattern without groups lists whole names.
_KINDS = tuple(
    tuple(re.compile(pattern) for pattern in patterns)
    for patterns in (
        (  # departments, bodies, places of work
            rf"([{_HAN}]{{2}})(科(?![学室目技研员里])|部(?![位分门队署])|处(?![理方置分于在罚所])"
            rf"|局(?![部面限])|办(?![理法公事结])|室(?![温性速颤])|委员会|委(?![托派员])|中心(?!静)"
            rf"|药房|药库|病房|病区|医院|公司|厂|协会|学会|学院|大学|法院|小组|银行|门诊|院区|站|所"
            rf"(?![有以需需致用谓在]))",
        ),
        (  # people by their work or their standing
            rf"([{_HAN}]{{2}})(医师|护士|药师|技师|律师|工程师|会计师|主任|组长|院长|科长|人员|代表)",
            r"监护人|法定代理人|继承人|配偶|律师|警察|志愿者|护工|所在单位|护士长|科主任|院长|药师"
            r"|技师|麻醉师|家属|亲属|子女|父母|本人|陪护|实习生|进修|规培|工程师|保安|司机",
        ),
        (  # drugs
            rf"([{_HAN}])(霉素|环素|西林|沙星|硝唑|康唑|洛芬|洛尔|地平|普利|沙坦|他汀|拉唑|替丁|列汀"
            rf"|列净|双胍|巴比妥|西泮|唑仑|哌酮|单抗|米松|松龙|奈德|激素|肝素|[美本齐]脲|腺素"
            rf"|巴胺|酚胺|他敏|杉醇|新碱|长春|铂|嘧啶|蝶呤|膦酸|噻嗪|塞米|螺内|洛韦|韦林|夫定|司他"
            rf"|法林|格雷|沙班|加群|茶碱|特罗|溴铵|莫司|替尼|昔布|芬酸|吗啡|哌替|可待|芬太|曲马|帕林"
            rf"|卡因|泊酚|咪唑|硫氧|甲状|降糖|利尿|抗凝|疫苗|球蛋白)",
            r"格列[美本齐喹吡]|胰岛素|甲状腺素|吗啡|芬太尼|阿托品|肾上腺素|多巴胺|地高辛|华法林|阿司匹林|对乙酰氨基酚"
            r"|缩宫素|地塞米松|泼尼松|万古|头孢|青霉素|氨茶碱|胺碘酮|利多卡因|硝酸甘油|硝普钠|甘露醇",
        ),
        (  # fluids, salts, disinfectants, what blood holds
            r"血[钠钾钙镁磷糖脂氨酮常]|氯化[钠钾钙]|碳酸氢?[钠钙]|硫酸[镁锌亚]|葡萄糖|生理盐水|蒸馏水"
            r"|注射用水|灭菌水|自来水|温水|冰水|热水|牛奶|果汁|酒精|乙醇|碘伏|碘酒|氯己定|双氧水|过氧"
            r"|戊二醛|含氯|季铵|肥皂|凡士林|红霉素软膏",
        ),
        (  # parts of the body
            rf"([{_HAN}])(动脉|静脉|神经|淋巴|韧带|肌(?![肉酐酸内]))",
            r"大腿|小腿|上臂|前臂|手背|手掌|手腕|手指|足背|足跟|脚踝|臀部|腹部|胸部|背部|颈部|腰部|头部"
            r"|面部|肩部|膝|髋|肘|三角肌|眼睛|耳朵|鼻腔|口腔|咽喉|气管|肺|肝|肾|脾|胃|肠|膀胱|心尖|胸骨|肋骨",
        ),
        (  # examinations
            r"胸片|磁共振|核磁|超声|彩超|心电图|脑电图|造影(?!剂)|血常规|尿常规|便常规|肝功能|肾功能"
            r"|凝血功能|心功能|肺功能|胃镜|肠镜|支气管镜|活检|血气|骨髓|腰穿|CT|X线|X光|血培养|痰培养"
            r"|尿培养|皮试|血压|血糖|体温|脉搏|呼吸|血氧|体重|心率|血型|听力|视力|眼底|肌酐|转氨酶|血小板"
            r"|白细胞|血红蛋白|尿酸|血脂|胆红素",
        ),
        (  # colours and materials of what is marked or kept by them
            r"[红橙黄绿蓝紫黑白灰棕](?=色|牌|标|底|字|签|区|袋|码|灯)|透明(?!敷料)|玻璃|塑料|金属|纸质"
            r"|棉布|纱布|橡胶|乳胶|硅胶",
        ),
        (  # ways and positions
            r"静脉注射|静脉滴注|静脉推注|肌内注射|肌注|皮下注射|皮内注射|舌下|雾化|吸入|鼻饲|灌肠|外用"
            r"|外敷|含漱|滴眼|滴鼻|直肠|仰卧|侧卧|俯卧|半卧|坐位|头低|截石|紫外线|高压蒸汽|环氧乙烷|等离子",
        ),
        (  # means, papers and payments
            r"书面|口头|电话|短信|邮件|微信|传真|当面|身份证|社保卡|护照|户口|出生证|病历|处方|医嘱|委托书"
            r"|承诺书|发票|门诊|住院|急诊|体检|职工医保|居民医保|生育保险|失业保险|工伤保险|养老保险|商业保险"
            r"|城镇职工|城乡居民|财政|罚款|押金",
        ),
        (  # levels and places of an administration
            r"国家级|省级|市级|县级|区级|院级|科级|市内|市外|省内|省外|境内|境外|上级|下级|三甲|二甲|基层",
        ),
    )
)
_DRUGS = _KINDS[2]
# Characters that end what stands before a name and begin none.
_NO_NAME = frozenset(
    "的了着过打用者没带出就往别有间住替看要顶能可不也在把给让被去来找由和与或及向从到对为是"
    "一二三四五六七八九十两个间些好何住短长难高低这那每各本该全我某哪几多其另前后上下以时将叫请做写说送得于等须应使或需经报"
)
# 好处 and 一部 are no departments: before these stand at least two characters of a name.
_NEEDS_TWO = frozenset("部处局办室委所站厂")


def missing_names(claim: str, evidence: Sequence[str]) -> tuple[str, ...]:
    """The names of ``claim`` that no text of ``evidence`` holds.

    A Chinese name counts when it is a drug's, or when the evidence names another one of its kind
    that the claim does not: without one the claim may only say in other words what the evidence
    says.
    """
    text = comparable(claim)
    present = "\n".join(comparable(passage) for passage in evidence)
    latin = _LATIN.findall(match_form(without_quantities(claim)))
    quoted = [comparable(name) for name in _QUOTED.findall(claim)]
    places = [name for name in entities(claim) if _IS_HAN.match(name)]
    missing = [name for name in (*latin, *quoted, *places) if not _is_held(name, present)]
    for patterns in _KINDS:
        strange = [name for name in _of_kind(patterns, text) if not _is_held(name, present)]
        if strange and (
            patterns is _DRUGS
            or any(not _is_held(name, text) for name in _of_kind(patterns, present))
        ):
            missing += strange
    return tuple(dict.fromkeys(missing))


def _of_kind(patterns: Sequence[re.Pattern[str]], text: str) -> Iterator[str]:
    for pattern in patterns:
        for found in pattern.finditer(text):
            if pattern.groups == 0:
                yield found[0]
                continue
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
