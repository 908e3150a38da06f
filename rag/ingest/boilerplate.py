"""What a site puts around every page: reprint notices, disclaimers, editors, share buttons.

Only whole lines, only among the first and last lines of a document, and only when nothing but such
lines (or blank ones) lies between them and its beginning or end. A heading word alone is not
enough where it could be clinical (``特别声明`` needs site words like 转载 or 版权 beside it).
Patterns are matched in simplified script with full-width marks folded. A document that would
become empty is left as it is.
"""

import re

from rag.chinese import match_form
from rag.offsets import Edit

_FIRST_LINES = 5
_LAST_LINES = 12
_LONGEST = 400

_SITE = (
    r"转载|转自|版权|侵权|著作权|本网|本站|网站|公众号|原作者|原创|授权|来源于网络|联系我们|小编"
    r"|删除|证实其(?:描述|内容)"
)
_STARTS = re.compile(
    r"[\s【\[(*※■◆▲●>#-]*(?:"
    rf"(?:特别|免责|版权|郑重|重要|法律)?(?:声明|申明|提示|说明)[】\])]?\s*:.*(?:{_SITE}).*"
    rf"|(?:特别|免责|版权|郑重)(?:声明|申明).*(?:{_SITE}).*"
    r"|凡(?:是)?(?:本网|本站|来源|注明|标注|转载|未注明|署名).*"
    r"|(?:[^。]{0,12}(?:网|站|平台|公众号))?(?:本)?文?(?:系)?转载(?:请|须|需|自|于|目的|其他|本文).*"
    r"|(?:如需|如欲|需要|欲)转载.*"
    r"|未经.{0,12}(?:授权|许可|允许|同意).{0,20}(?:转载|复制|使用|摘编).*"
    r"|(?:本文|以上内容|文章|图片|图文|部分(?:内容|图片|素材)).{0,6}"
    r"(?:转载自|转自|来源于?网络|来自网络|由.{2,20}整理发布).*"
    r"|(?:如有|若有|如果|如|若)(?:涉及)?.{0,8}(?:侵权|版权|异议).{0,30}(?:联系|删除|告知).*"
    r"|(?:本文)?(?:责任|文字|执行|值班|网络|美术|本期|新媒体)?(?:编辑|编审|责编|排版|校对|审核|审校)"
    r"\s*[:丨|/].{0,40}"
    r"|(?:说明|注|作者简介|作者)\s*:\s*本文(?:作者|转|系|来).{0,120}"
    r"|.{0,30}(?:扫一扫|扫码|长按|识别二维码).{0,30}(?:关注|二维码|分享|下载|公众号).{0,30}"
    r"|.{0,16}(?:欢迎|请)?关注.{0,16}(?:公众号|微信号|官方微信|微博).{0,30}"
    r"|(?:点击|轻触|戳)?(?:阅读原文|蓝字关注.{0,8}|上方蓝字.{0,8})"
    r"|(?:上一篇|下一篇|上一页|下一页)\s*:.{0,80}"
    r"|[\s|·/-]*(?:(?:打印(?:本页)?|关闭(?:窗口|本页)|返回(?:顶部|首页|列表)|分享到?|收藏|点赞|在看|字号)"
    r"[\s:|·/【】\[\]-]*)+"
    r"|.{0,40}(?:版权所有|all rights reserved|copyright\s*(?:©|\(c\)|\d{4})|©\s*\d{4}).{0,80}"
    r"|.{0,40}[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼](?:icp备|公网安备)"
    r"\s*\d{5,}.{0,40}"
    r")$",
)


def remove_boilerplate(text: str) -> list[Edit]:
    """Edits that delete boilerplate lines at the beginning and the end, line break included."""
    lines = _lines(text)
    first = 0
    while first < min(len(lines), _FIRST_LINES) and _is_boilerplate(text, lines[first]):
        first += 1
    last = len(lines)
    stop = max(first, len(lines) - _LAST_LINES)
    while last > stop and _is_boilerplate(text, lines[last - 1]):
        last -= 1
    if first >= last:
        return []
    edits = [Edit(lines[i][0], lines[i + 1][0], "") for i in range(first)]
    edits += [Edit(lines[i - 1][1], lines[i][1], "") for i in range(last, len(lines))]
    return edits


def _lines(text: str) -> list[tuple[int, int]]:
    """The spans of the lines that hold anything."""
    return [match.span() for match in re.finditer(r"[^\n]*\S[^\n]*", text)]


def _is_boilerplate(text: str, span: tuple[int, int]) -> bool:
    start, end = span
    if end - start > _LONGEST:
        return False
    return _STARTS.match(match_form(text[start:end]).strip()) is not None
