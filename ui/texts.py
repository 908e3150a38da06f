"""Every string a person reads in the browser, Chinese.

One flat list of names, so that a second language is a second module with the same names. Strings
with ``{…}`` are filled with ``str.format``.
"""

from typing import Final

TITLE: Final = "医问"
TAGLINE: Final = "依据本院资料回答，每一句都能查到出处"
ANSWERING: Final = "回答方式"
AI_LABEL: Final = "内容由人工智能生成，须由医师确认"
AI_TAG: Final = "AI 生成"
FILING_MODEL: Final = "模型：{name}"
FILING_NUMBER: Final = "备案号：{number}"
PRIVACY: Final = "对话保存在本院服务器，只有本浏览器能打开，可随时删除"

QUESTION_LABEL: Final = "输入问题"
QUESTION_PLACEHOLDER: Final = "输入问题，按 Enter 发送"
SEND: Final = "发送"
STOP: Final = "停止"
NEW_CONVERSATION: Final = "新对话"
WELCOME_TITLE: Final = "想查什么？"
WELCOME_TEXT: Final = (
    "医问只根据已收录的资料作答，并标出每句话的依据；资料里没有的，会直接说「资料中未找到」。"
)
EXAMPLES_TITLE: Final = "可以这样问"
EXAMPLES: Final = (
    "医疗机构部署大模型的数量是多少？",
    "截至2024年底，有多少款生成式人工智能服务完成备案？",
    "大模型怎样控制医疗费用的不合理增长？",
    "欧洲议会什么时候通过《人工智能法案》？",
)

STATE_ANSWERED: Final = "已回答"
STATE_UNCERTAIN: Final = "不确定"
STATE_NOT_FOUND: Final = "资料中未找到"
HINT_UNCERTAIN: Final = "资料只能部分支持这一回答，请核对引用的原文后再使用。"
HINT_NOT_FOUND: Final = "没有找到足够的依据，因此不作回答。可以换一种问法，或请管理员补充资料。"

NO_PERSON: Final = (
    "浏览器没有接受本页的 Cookie，无法分清是谁在提问。请允许本站的 Cookie，然后刷新页面。"
)
NOT_LAST: Final = "这已不是最后一个问题，不能修改（可能已在另一个窗口继续）。请刷新后重试"
NOT_KEPT: Final = "这次问答没有保存：{reason}"
MISSING: Final = "没有这个对话或问答，它可能已被删除。请刷新页面"
NO_SUCH_FORM: Final = "没有这种导出格式。请选择 Markdown、Word 或 PDF"
SEARCHED: Final = "按“{question}”查找"
VERBATIM: Final = "按原话查找"
UNCHECKED_LINE: Final = "句子尚未与资料核对，可能还会修改。"

LIBRARY: Final = "资料库"
CONVERSATIONS: Final = "对话记录"
UNTITLED_CONVERSATION: Final = "未命名对话"
FIND: Final = "搜索对话"
MORE: Final = "更早的对话"
SCOPE: Final = "查找范围"
EDITING: Final = "正在修改最后一个问题"
CANCEL: Final = "取消"
# Shown by the page's scripts, which know them by these names.
PAGE_WORDS: Final = {
    "open": "打开对话：{title}",
    "rename": "重命名",
    "renameOf": "重命名：{title}",
    "newTitle": "新名称",
    "save": "保存",
    "cancel": CANCEL,
    "delete": "删除",
    "deleteOf": "删除：{title}",
    "deleteSure": "删除这个对话？不能恢复。",
    "deleted": "对话已删除",
    "none": "还没有对话。提问后会保存在这里。",
    "nothingFound": "没有找到含有这些词的对话。",
    "failed": "没有成功：服务没有应答。请稍后重试。",
    "opened": "已打开对话：{title}",
    "export": "导出",
    "exportAs": "导出为 {form}",
    "exporting": "正在导出…",
    "exported": "已导出：{name}",
    "again": "重新回答",
    "edit": "修改问题",
    "retry": "重试",
    "good": "有用",
    "bad": "有问题",
    "rating": "评价这次回答",
    "why": "哪里有问题？",
    "reasons": {
        "wrong": "内容有误",
        "unsupported": "没有依据",
        "wrong_citation": "引用不对",
        "incomplete": "不完整",
        "unsafe": "不安全",
    },
    "comment": "补充说明（可不填，请勿写患者姓名等信息）",
    "submit": "提交",
    "thanks": "谢谢，反馈已记录。",
    "withdrawn": "已撤回评价。",
    "next": "还可以问",
    "view": "查看原文",
    "pageImage": "{title}，第 {page} 页",
    "pageLoading": "正在生成页面图像…",
    "close": "关闭",
}

PHASE_WAITING: Final = "正在查找资料…"
PHASE_QUEUED: Final = "正在提交…"
QUEUED: Final = "排队中，前面还有 {place} 个问题"
QUEUED_SECONDS: Final = "，约 {seconds} 秒"
PHASE_STREAMING: Final = "正在回答…"
PHASE_STOPPED: Final = "已停止，以上内容不完整。"
PHASE_STOPPED_EMPTY: Final = "已停止，尚未生成内容。"
PHASE_FAILED: Final = "未能回答"
FINISHED_ANNOUNCEMENT: Final = "回答完成：{state}，引用 {count} 处资料"

THINKING: Final = "模型的思考过程（不是回答，未经核对）"
NUMBER_TOOLTIP: Final = "数字未在引用资料中出现"
NUMBER_NOTE: Final = "数字未在引用资料中出现：{numbers}。请勿直接使用，先核对原文。"
UNSUPPORTED_TOOLTIP: Final = "此句未得到引用资料支持"
UNSUPPORTED_NOTE: Final = "带虚线的句子未得到引用资料支持，请勿直接使用。"
REASON_NOTE: Final = "「{sentence}」{reasons}"
VERDICTS: Final = {
    "supported": "已核对：资料支持这句话",
    "number": "数字与引用资料不符",
    "unsupported": "未得到引用资料支持",
    "unchecked": "这句话没有核对",
}
VERDICT_REASON: Final = "{verdict}：{reasons}"
LIST_SEPARATOR: Final = "、"

COPY: Final = "复制"
COPIED: Final = "已复制"
COPY_FAILED: Final = "复制失败，请手动选择文字"
COPY_QUESTION: Final = "问：{question}"
COPY_SOURCES: Final = "引用资料："
COPY_MODEL: Final = "（{model}）"

SOURCES_TITLE: Final = "引用资料"
SOURCES_OF: Final = "引用资料：{question}"
SOURCES_COUNT: Final = "{count} 处"
SOURCES_EMPTY: Final = "点击回答中的 [1]，这里会显示它所依据的原文。"
SOURCES_NONE: Final = "这次回答没有引用资料。"
MARK_LABEL: Final = "引用 {mark}：{title}"
PAGE: Final = "第 {page} 页"
OPEN_PAGE: Final = "打开第 {page} 页"
SOURCE: Final = "来源：{source}"
SHOW_ORIGINAL: Final = "显示原文"
ORIGINAL_NOTE: Final = "文件中的原始字符（上文已作繁简、标点等修正）："
EXCERPT_UNAVAILABLE: Final = "暂时无法打开这份资料，仅显示被引用的原句。"
SOURCE_CHANGED: Final = "这份资料已变动，原处不再有这句话。上面是回答时引用的原文。"
SOURCE_GONE: Final = "这份资料已不在资料库中。上面是回答时引用的原文。"
BACK_TO_ANSWER: Final = "回到回答"
UNTITLED: Final = "未命名资料"

TIMING_NAMES: Final = {
    "search": "检索",
    "retrieve": "检索",
    "evidence": "判断依据",
    "first_text": "首字",
    "generate": "生成",
    "extract": "摘录",
    "verify": "核对",
    "total": "合计",
}
TIMING: Final = "{name} {seconds:.2f} 秒"

EMPTY_QUESTION: Final = "请先输入问题，再点「发送」。"
LONG_QUESTION: Final = "问题有 {length:,} 个字符，超过上限 {limit:,} 个。请缩短后再问。"
INTERRUPTED: Final = "回答中断：服务繁忙或连接已断开。问题已放回输入框，请稍后再试。"

BAD_HOST: Final = "不认识的访问地址。请使用管理员给出的地址打开医问。"
BAD_ORIGIN: Final = "请求来自其他网站，已拒绝。请直接打开医问的页面。"
NOT_SERVED: Final = "没有这个页面。"
TOO_LARGE: Final = "请求过大，已拒绝。请缩短问题后再试。"

KEY_FAILED: Final = (
    "对话目录的密钥 {path} 无法读写（{reason}）。请检查 [conversations] directory 的权限"
)
KEY_DAMAGED: Final = (
    "对话目录的密钥 {path} 已损坏。请从备份恢复；没有备份时删除它，此后浏览器须重新开始"
)

PORT_TAKEN: Final = "端口 {port} 已被占用，对话页面无法启动。请关闭占用它的程序，或换一个端口：rag serve --port {other}"
PORT_FORBIDDEN: Final = (
    "没有权限使用端口 {port}。请换一个 1024 以上的端口：rag serve --port {other}"
)
HOST_UNKNOWN: Final = "地址 {host} 不能用于监听（{reason}）。请检查 [serve] host，通常是 127.0.0.1"
START_FAILED: Final = "对话页面未能启动（{url} 没有应答）。请查看日志后重试"
