"""Every string a person reads in the browser, Chinese with its English beside it.

`ui.language.say` gives a `Text` in the language of whoever asks and fills its ``{…}``; taken as it
stands it is the Chinese string. What is said to whoever runs the server is Chinese only.
"""

from typing import Final

from rag import language
from ui.language import Text, Texts

TITLE: Final = Text("医问", "Yiwen")
LOGO: Final = Text("问", "Y")
TAGLINE: Final = Text(
    "依据本院资料回答，每一句都能查到出处",
    "The hospital's own documents, every sentence with its source",
)
ANSWERING: Final = Text("回答方式", "Answered by")
EXTRACTIVE: Final = Text(language.EXTRACTIVE, "Quotations only (no language model)")
SIGNED_IN: Final = Text("当前用户：{name}", "Signed in: {name}")
THIS_BROWSER: Final = Text("本机浏览器", "This browser")
DIGEST: Final = Text("模型摘要：{digest}", "Model digest: {digest}")
AI_LABEL: Final = Text(
    "内容由人工智能生成，须由医师确认", "AI-generated content, to be confirmed by a physician"
)
AI_TAG: Final = Text("AI 生成", "AI-generated")
FILING_MODEL: Final = Text("模型：{name}", "Model: {name}")
FILING_NUMBER: Final = Text("备案号：{number}", "Filing number: {number}")
PRIVACY: Final = Text(
    "对话保存在本院服务器，只有本浏览器能打开，可随时删除",
    "Kept on the hospital's server, opened by this browser only, deleted whenever you like",
)

QUESTION_LABEL: Final = Text("输入问题", "Your question")
QUESTION_PLACEHOLDER: Final = Text("输入问题，按 Enter 发送", "Ask a question, Enter sends it")
SEND: Final = Text("发送", "Send")
STOP: Final = Text("停止", "Stop")
NEW_CONVERSATION: Final = Text("新对话", "New")
WELCOME_TITLE: Final = Text("想查什么？", "What would you like to look up?")
WELCOME_TEXT: Final = Text(
    "医问只根据已收录的资料作答，并标出每句话的依据；资料里没有的，会直接说「资料中未找到」。",
    "Yiwen answers only from the documents it holds and shows what every sentence rests on. What "
    "they do not say, it does not answer.",
)
EXAMPLES_TITLE: Final = Text("可以这样问", "For example")
# Questions to documents that are Chinese, whoever reads the page.
EXAMPLES: Final = (
    "医疗机构部署大模型的数量是多少？",
    "截至2024年底，有多少款生成式人工智能服务完成备案？",
    "大模型怎样控制医疗费用的不合理增长？",
    "欧洲议会什么时候通过《人工智能法案》？",
)

STATE_ANSWERED: Final = Text("已回答", "Answered")
STATE_UNCERTAIN: Final = Text("不确定", "Uncertain")
STATE_NOT_FOUND: Final = Text("资料中未找到", "Not in the documents")
HINT_UNCERTAIN: Final = Text(
    "资料只能部分支持这一回答，请核对引用的原文后再使用。",
    "The documents support this answer only in part. Check the cited passages before you use it.",
)
HINT_NOT_FOUND: Final = Text(
    "没有找到足够的依据，因此不作回答。可以换一种问法，或请管理员补充资料。",
    "There is not enough evidence, so there is no answer. Try other words, or ask the "
    "administrator to add documents.",
)

NO_PERSON: Final = Text(
    "浏览器没有接受本页的 Cookie，无法分清是谁在提问。请允许本站的 Cookie，然后刷新页面。",
    "The browser did not accept this page's cookie, so nobody can tell who is asking. Allow "
    "cookies of this site, then reload the page.",
)
NOT_LAST: Final = Text(
    "这已不是最后一个问题，不能修改（可能已在另一个窗口继续）。请刷新后重试",
    "This is no longer the last question and cannot be changed (another window may have gone "
    "on). Reload the page and try again",
)
NOT_KEPT: Final = Text("这次问答没有保存：{reason}", "This answer was not saved: {reason}")
MISSING: Final = Text(
    "没有这个对话或问答，它可能已被删除。请刷新页面",
    "There is no such conversation or answer; it may have been deleted. Reload the page",
)
NO_SUCH_FORM: Final = Text(
    "没有这种导出格式。请选择 Markdown、Word 或 PDF",
    "There is no such format. Choose Markdown, Word or PDF",
)
SEARCHED: Final = Text("按“{question}”查找", "Searched as “{question}”")
VERBATIM: Final = Text("按原话查找", "Search my own words")
UNCHECKED_LINE: Final = Text(
    "句子尚未与资料核对，可能还会修改。",
    "Not yet checked against the documents; sentences may still change.",
)

LIBRARY: Final = Text("资料库", "Library")
CONVERSATIONS: Final = Text("对话记录", "Conversations")
UNTITLED_CONVERSATION: Final = Text("未命名对话", "Untitled conversation")
FIND: Final = Text("搜索对话", "Search conversations")
MORE: Final = Text("更早的对话", "Earlier conversations")
SCOPE: Final = Text("查找范围", "Search in")
EDITING: Final = Text("正在修改最后一个问题", "You are changing the last question")
CLOSE: Final = Text("关闭", "Close")
CANCEL: Final = Text("取消", "Cancel")
# Shown by the page's scripts, which know them by these names.
PAGE_WORDS: Final[Texts] = {
    "open": Text("打开对话：{title}", "Open conversation: {title}"),
    "rename": Text("重命名", "Rename"),
    "renameOf": Text("重命名：{title}", "Rename: {title}"),
    "newTitle": Text("新名称", "New name"),
    "save": Text("保存", "Save"),
    "cancel": CANCEL,
    "delete": Text("删除", "Delete"),
    "deleteOf": Text("删除：{title}", "Delete: {title}"),
    "deleteSure": Text(
        "删除这个对话？不能恢复。", "Delete this conversation? It cannot be restored."
    ),
    "deleted": Text("对话已删除", "Conversation deleted"),
    "none": Text("还没有对话。提问后会保存在这里。", "No conversations yet. They are kept here."),
    "nothingFound": Text("没有找到含有这些词的对话。", "No conversation has these words."),
    "failed": Text(
        "没有成功：服务没有应答。请稍后重试。",
        "That did not work: the server does not answer. Try again later.",
    ),
    "opened": Text("已打开对话：{title}", "Conversation opened: {title}"),
    "export": Text("导出", "Export"),
    "exportOf": Text("导出：{title}", "Export: {title}"),
    "exportAs": Text("导出为 {form}", "Export as {form}"),
    "exporting": Text("正在导出…", "Exporting…"),
    "exported": Text("已导出：{name}", "Exported: {name}"),
    "again": Text("重新回答", "Answer again"),
    "edit": Text("修改问题", "Edit question"),
    "retry": Text("重试", "Try again"),
    "good": Text("有用", "Useful"),
    "bad": Text("有问题", "Faulty"),
    "rating": Text("评价这次回答", "Rate this answer"),
    "why": Text("哪里有问题？", "What is wrong?"),
    "reasons": {
        "wrong": Text("内容有误", "Wrong content"),
        "unsupported": Text("没有依据", "Not supported"),
        "wrong_citation": Text("引用不对", "Wrong citation"),
        "incomplete": Text("不完整", "Incomplete"),
        "unsafe": Text("不安全", "Unsafe"),
    },
    "comment": Text(
        "补充说明（可不填，请勿写患者姓名等信息）", "Details (optional; no patient names, please)"
    ),
    "submit": Text("提交", "Submit"),
    "thanks": Text("谢谢，反馈已记录。", "Thank you, your feedback is recorded."),
    "withdrawn": Text("已撤回评价。", "Rating withdrawn."),
    "next": Text("还可以问", "You can also ask"),
    "view": Text("查看原文", "View the source"),
    "pageImage": Text("{title}，第 {page} 页", "{title}, page {page}"),
    "pageLoading": Text("正在生成页面图像…", "Drawing the page…"),
    "close": CLOSE,
}

PHASE_WAITING: Final = Text("正在查找资料…", "Searching the documents…")
PHASE_QUEUED: Final = Text("正在提交…", "Sending…")
QUEUED: Final = Text("排队中，前面还有 {place} 个问题", "Waiting in line, place {place}")
QUEUED_SECONDS: Final = Text("，约 {seconds} 秒", ", about {seconds} s")
QUEUE_FULL: Final = Text(
    "提问的人太多，排队已满。问题已放回输入框，请过 {seconds} 秒再试。",
    "Too many people are asking, the line is full. Your question is back in the box; try again "
    "in {seconds} s.",
)
PHASE_STREAMING: Final = Text("正在回答…", "Answering…")
PHASE_STOPPED: Final = Text("已停止，以上内容不完整。", "Stopped; the text above is not complete.")
STOPPED_CHIP: Final = Text("已停止", "Stopped")
PHASE_STOPPED_EMPTY: Final = Text("已停止，尚未生成内容。", "Stopped before anything was written.")
PHASE_FAILED: Final = Text("未能回答", "Not answered")
FINISHED_ANNOUNCEMENT: Final = Text(
    "回答完成：{state}，引用 {count} 处资料", "Answer complete: {state}, citations: {count}"
)

THINKING: Final = Text(
    "模型的思考过程（不是回答，未经核对）", "The model's thinking (not the answer, not checked)"
)
THINKING_NOW: Final = Text(
    "正在思考…（不是回答，未经核对）", "Thinking… (not the answer, not checked)"
)
THOUGHT: Final = Text(
    "思考了 {seconds} 秒（不是回答，未经核对）",
    "Thought for {seconds} s (not the answer, not checked)",
)
NUMBER_TOOLTIP: Final = Text("数字未在引用资料中出现", "This number is not in the cited passages")
NUMBER_NOTE: Final = Text(
    "数字未在引用资料中出现：{numbers}。请勿直接使用，先核对原文。",
    "Not in the cited passages: {numbers}. Do not use without checking the source.",
)
UNSUPPORTED_TOOLTIP: Final = Text(
    "此句未得到引用资料支持", "The cited passages do not support this sentence"
)
UNSUPPORTED_NOTE: Final = Text(
    "带虚线的句子未得到引用资料支持，请勿直接使用。",
    "The cited passages do not support the sentences with a dotted line. Do not use them.",
)
REASON_NOTE: Final = Text("「{sentence}」{reasons}", "“{sentence}” {reasons}")
VERDICTS: Final = {
    "supported": Text("已核对：资料支持这句话", "Checked: the documents support this sentence"),
    "number": Text("数字与引用资料不符", "A number differs from the cited passages"),
    "unsupported": Text("未得到引用资料支持", "Not supported by the cited passages"),
    "unchecked": Text("这句话没有核对", "This sentence was not checked"),
}
VERDICT_REASON: Final = Text("{verdict}：{reasons}", "{verdict}: {reasons}")
LIST_SEPARATOR: Final = Text("、", ", ")
PLACE_SEPARATOR: Final = Text("，", ", ")

COPY: Final = Text("复制", "Copy")
COPIED: Final = Text("已复制", "Copied")
COPY_FAILED: Final = Text("复制失败，请手动选择文字", "Not copied, please select the text")
COPY_QUESTION: Final = Text("问：{question}", "Question: {question}")
COPY_SOURCES: Final = Text("引用资料：", "Sources:")
COPY_MODEL: Final = Text("（{model}）", " ({model})")

SOURCES_TITLE: Final = Text("引用资料", "Sources")
SOURCES_OF: Final = Text("引用资料：{question}", "Sources: {question}")
SOURCES_COUNT: Final = Text("{count} 处", "{count}")
SOURCES_EMPTY: Final = Text(
    "点击回答中的 [1]，这里会显示它所依据的原文。",
    "Choose a [1] in an answer: the passage it rests on is shown here.",
)
SOURCES_NONE: Final = Text("这次回答没有引用资料。", "This answer cites no documents.")
MARK_LABEL: Final = Text("引用 {mark}：{title}", "Citation {mark}: {title}")
PAGE: Final = Text("第 {page} 页", "page {page}")
OPEN_PAGE: Final = Text("打开第 {page} 页", "Open page {page}")
SOURCE: Final = Text("来源：{source}", "From: {source}")
SHOW_ORIGINAL: Final = Text("显示原文", "Show the original")
ORIGINAL_NOTE: Final = Text(
    "文件中的原始字符（上文已作繁简、标点等修正）：",
    "The characters in the file (above, characters and punctuation were repaired):",
)
EXCERPT_UNAVAILABLE: Final = Text(
    "暂时无法打开这份资料，仅显示被引用的原句。",
    "This document cannot be opened now; only the cited sentence is shown.",
)
SOURCE_CHANGED: Final = Text(
    "这份资料已变动，原处不再有这句话。上面是回答时引用的原文。",
    "This document has changed and no longer says this there. Above is what was cited.",
)
SOURCE_GONE: Final = Text(
    "这份资料已不在资料库中。上面是回答时引用的原文。",
    "This document is no longer in the library. Above is what was cited.",
)
BACK_TO_ANSWER: Final = Text("回到回答", "Back to the answer")
UNTITLED: Final = Text("未命名资料", "Untitled document")

TIMING_NAMES: Final = {
    "search": Text("检索", "search"),
    "retrieve": Text("检索", "search"),
    "evidence": Text("判断依据", "evidence"),
    "first_text": Text("首字", "first word"),
    "generate": Text("生成", "writing"),
    "extract": Text("摘录", "extraction"),
    "verify": Text("核对", "checking"),
    "total": Text("合计", "in all"),
}
# With spaces that do not break.
TIMING: Final = Text("{name}\u00a0{seconds:.2f}\u00a0秒", "{name}\u00a0{seconds:.2f}\u00a0s")

EMPTY_QUESTION: Final = Text(
    "请先输入问题，再点「发送」。", "Please enter a question before you send it."
)
LONG_QUESTION: Final = Text(
    "问题有 {length:,} 个字符，超过上限 {limit:,} 个。请缩短后再问。",
    "The question has {length:,} characters, more than the limit of {limit:,}. Please shorten it.",
)
INTERRUPTED: Final = Text(
    "回答中断：服务繁忙或连接已断开。问题已放回输入框，请稍后再试。",
    "The answer broke off: the server is busy or the connection was lost. Your question is back "
    "in the box; try again later.",
)

# To whoever reaches the server in another way than through its page, or runs it.
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
