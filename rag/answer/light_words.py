"""Words that say nothing about a subject: a question made of them alone needs the one before.

"什么时候发布的？" asks about something, and does not say about what. Attributes (剂量, 时间) belong to
a subject, light verbs (发布, 使用) need one; asking and function words carry no subject at all.
"""

import re

from rag.answer.slots import FORM, NAMES, ROLE, ROUTE, slots


def _words(text: str) -> list[str]:
    return text.split()


ATTRIBUTES = _words(
    "用法用量 最大剂量 剂量 用量 用法 副作用 不良反应 毒性 禁忌症 禁忌证 禁忌 适应症 适应证 注意事项 相互作用 疗程 疗效 "
    "效果 机制 机理 原理 原因 理由 目的 目标 意义 作用 用途 功能 主要内容 内容 要点 重点 依据 根据 出处 来源 时间 日期 "
    "期限 有效期 保质期 频率 次数 数量 人数 个数 规模 比例 占比 比率 发生率 死亡率 价格 费用 收费 成本 标准 范围 要求 规定 "
    "条件 资格 流程 程序 步骤 方法 方式 办法 措施 特点 特征 优点 优势 好处 坏处 缺点 不足 局限 风险 区别 差别 不同 联系 "
    "关系 例子 例外 情况 结果 结论 影响 背景 现状 趋势 前景 意思 含义 概念 类型 种类 分类 级别 等级 名称 名字 全称 缩写 "
    "作者 机构 单位 部门 负责人 主体 对象 人群 规格 参数规模 参数量 参数 架构 浓度 速度 温度 症状 表现 病因 并发症 预后 "
    "治疗 检查 预防 监测 储存 贮藏 保存 给药途径 给药 途径 半衰期 起效 "
    "深度 高度 长度 宽度 重量 强度 间隔 顺序 颜色 位置 部位 地点 后果 责任 处罚"
)
# Sides of a subject that can be subjects themselves.
_ASPECTS = _words("护理 监管 应用 部署 政策 管理 审批 备案 培训 安全性 有效性")
_VERBS = _words(
    "发布 出台 公布 实施 施行 执行 通过 生效 开始 结束 提出 制定 印发 颁布 使用 服用 服 吃 喝 用药 用 做 办 处理 "
    "操作 停药 停用 停止 停 换 加 减 注意 避免 负责 推动 主导 参与 包括 包含 分为 属于 适用 说明 解释 介绍 详细 具体 "
    "展开 继续 总结 概括 核对 确认 了解 知道 看到 看 查 找 得出 计算 达到 超过 提高 降低 增加 减少 变化 增长 完成 "
    "成立 建立 报销 安全 有效 严重 常见 合法 允许 禁止 推荐 建议 一样 相同 可行 正确 准确 真的 确定 举例 举 描述 补充 "
    "分析 比较 对比 调整 需要 必须 应该 应当 可以 能够 上传 下载 安装 购买 "
    "打印 提交 涉及 针对 采取 进行 漏服 误服 过量 超量 忘记 怎么说 来 去 "
    "改 变 贵 多 少 高 低 长 短 快 慢 早 晚 好 行 对 错 真 当"
)
_PERSONS = _words("患者 病人 医生 医师 护士 家属 我们 大家 用户")
_ASKING = _words(
    "请问 告诉 想知道 想问 是不是 有没有 能不能 可不可以 要不要 会不会 是否 什么时候 什么样 为什么 为何 怎么样 怎么办 "
    "怎么 怎样 如何 咋 哪一年 哪年 哪些 哪个 哪几 哪里 哪儿 哪 多少 多大 多久 多长 多高 几 什么 啥 谁 何时 何地 何 吗 呢 "
    "吧 呀 啊 么 嘛 哦 嗯"
)
_FUNCTION = _words(
    "最大 最小 最高 最低 最多 最少 目前 现在 当时 当前 后来 然后 接下来 之后 "
    "之前 以前 以后 以上 以下 以内 一共 总共 分别 主要 一般 通常 大概 大约 左右 "
    "每天 每日 每次 每周 一天 一次 一日 最后 最早 最近 最新 最终 首先 其次 因为 所以 如果 但是 而且 并且 或者 还是 以及 "
    "关于 有关 方面 对于 根据 按照 一下 一点 一些 这样 那样 这么 那么 其他 其它 其中 其余 另外 别的 更多 剩下 除此 除了 文件 "
    "文中 资料 文章 问题 回答 答案 还有 没有 之外 外 那 这 的 地 得 了 着 过 是 有 在 要 会 能 可 应 需 须 与 及 或 和 跟 也 还 又 "
    "都 就 才 再 最 更 很 太 请 帮 我 你 您 个 些 下 点 给 把 被 让 由 从 到 向 为 以 其 中 上 里 内 前 后 时 一 二 三 四 五 "
    "六 七 八 九 十 两 次 天 年 月 日 条 款 项 种 类 岁 所 而 只 不 没 非 每 等 于 该 用 数 数字 名 位 家 间"
)


def _longest_first(words: list[str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=lambda word: (-len(word), word)))


_CARRIERS = (*NAMES, ROUTE, ROLE, FORM)
_LIGHT = re.compile(_longest_first([*ATTRIBUTES, *_VERBS, *_ASKING, *_FUNCTION]))
_WORDY = re.compile(r"[A-Za-z\u3400-\u9fff]+")
ASKING = re.compile(_longest_first([w for w in _ASKING if w not in ("几", "告诉", "请问")]) + "|几")
ATTRIBUTE_END = re.compile(f"(?:{_longest_first([*ATTRIBUTES, *_ASPECTS])})$")
ATTRIBUTE_START = re.compile(
    f"(?:最[大小高低长短]|主要|具体|常见)?的?(?:{_longest_first(ATTRIBUTES)})"
)
ASPECT_END = re.compile(f"(?:{_longest_first(_ASPECTS)})$")
# 基层医疗机构 is no attribute of anything, though 机构 is one.
BODY_END = re.compile("..(?:机构|单位|部门|人群|对象)$")
_PERSON = re.compile(_longest_first(_PERSONS))


def content(text: str, *, persons: bool = True) -> str:
    """What of a `rag.answer.slots.plain` text carries a subject; names and titles do.

    Places, years, groups of people and numbers do not: they qualify one. Without ``persons``
    neither do 患者, 医生 and their like.
    """
    kept: list[str] = []
    position = 0
    for slot in slots(text):
        kept.append(text[position : slot.start])
        kept.append("\0" if slot.kind not in _CARRIERS else f"\1{slot.text}\1")
        position = slot.end
    kept.append(text[position:])
    names = "".join(part.strip("\1") for part in kept if part.startswith("\1"))
    rest = " ".join(part for part in kept if not part.startswith(("\1", "\0")))
    if not persons:
        rest = _PERSON.sub(" ", rest)
    return names + "".join(_WORDY.findall(_LIGHT.sub(" ", rest)))
