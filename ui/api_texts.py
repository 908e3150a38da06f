"""Every string that a program's user reads from the API, Chinese; see `ui.texts` for the page's."""

from typing import Final

API_TITLE: Final = "医问 API"
API_DESCRIPTION: Final = "依据本院资料回答，每一句都附出处与核对结论。字段说明见 docs/api.md。"
ERROR: Final = "错误，状态码见 docs/api.md"
ANSWER: Final = "回答"

NOTICE: Final = "提示：{notice}"
SOURCES: Final = "资料来源"
SOURCE: Final = "[{mark}] {place}：「{quote}」"

NOT_ADMITTED: Final = (
    "接口只对本机程序开放。请在 rag.toml 的 [api] keys 里设置密钥后，从其他机器带密钥调用"
)
NO_KEY: Final = (
    "缺少接口密钥。请在请求头里写 Authorization: Bearer 加密钥，密钥由管理员在 [api] keys 设置"
)
WRONG_KEY: Final = "接口密钥不对。请向管理员核对 [api] keys 中的密钥"
OTHER_SITE: Final = "请求来自其他网站的页面，已拒绝。请从程序或医问自己的页面调用"
NOT_JSON_TYPE: Final = "请求正文的类型不是 JSON。请在请求头里写 Content-Type: application/json"
BAD_JSON: Final = "请求正文不是有效的 JSON。请检查引号、逗号与编码（UTF-8）"
BAD_FIELD: Final = "请求字段 {where} 不合要求（{reason}）。请对照 docs/api.md 改正"
NO_ROUTE: Final = "没有这个接口。请对照 /api/docs 检查地址"
NO_METHOD: Final = "这个接口不支持 {method} 方法。请对照 /api/docs 改用正确的方法"
NO_MODEL: Final = "没有名为 {model} 的模型。请用 /v1/models 列出的名称"
NO_QUESTION: Final = "messages 里没有用户的问题。请加一条 role 为 user 的消息"
ONE_CHOICE: Final = "每次只生成一个回答。请把 n 设为 1 或省略"
ONLY_TEXT: Final = "只支持文字回答。请省略 response_format，或设为 text"
TEXT_PARTS: Final = "消息里只能有文字，不支持 {kind}。请去掉后再问"
EMPTY_QUESTION: Final = "问题是空的。请输入要查询的内容"
LONG_QUESTION: Final = "问题有 {length:,} 个字符，超过上限 {limit:,} 个。请缩短后再问"
BUSY: Final = "正在回答的问题太多，排队已满。请 {seconds} 秒后再试"
CLIENT_GONE: Final = "调用方已断开，回答已停止。请重新提问"
INTERNAL: Final = "服务内部出错，已记入日志。请联系管理员查看日志"

PAGE_TITLE: Final = "医问 API 文档"
PAGE_INTRO: Final = (
    "下列接口供其他程序调用。回答由人工智能依据已收录的资料生成，须由医师确认后使用。"
)
PAGE_DOCUMENT: Final = "OpenAPI 文档"
PAGE_KEY_NEEDED: Final = "已设置接口密钥：每个请求都要带 Authorization: Bearer 请求头。"
PAGE_KEY_FREE: Final = "未设置接口密钥：只有本机程序可以调用。"
PAGE_REQUEST: Final = "请求"
PAGE_ANSWER: Final = "应答"
PAGE_NAME: Final = "字段"
PAGE_KIND: Final = "类型"
PAGE_MEANING: Final = "含义"
PAGE_REQUIRED: Final = "必填"
