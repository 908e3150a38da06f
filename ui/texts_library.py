"""Every string of the library's page, each in Chinese with its English."""

from typing import Final

from ui.language import Text

TITLE: Final = Text("资料库", "Library")
HEADING: Final = Text("资料库", "Library")
LEAD: Final = Text(
    "医问只依据这里的文档回答。上传后自动建立索引，完成之前仍按原有索引回答。",
    "Yiwen answers only from these documents. What you upload is indexed at once; until that is done the old index answers.",
)
BACK: Final = Text("返回问答", "Back to questions")
PRODUCT: Final = Text("医问", "Yiwen")
UPLOAD: Final = Text("上传文档", "Upload documents")
DROP: Final = Text("把文件拖到这里，或", "Drop files here, or ")
CHOOSE: Final = Text("选择文件", "Choose files")
TYPES: Final = Text(
    "支持 PDF、Word（.docx）、Excel（.xlsx）、网页、Markdown、文本与扫描图片；单个文件不超过 {size}。",
    "PDF, Word (.docx), Excel (.xlsx), web pages, Markdown, text and scanned images; up to {size} a file.",
)
COLLECTION: Final = Text("存入分类", "Collection")
COLLECTION_HINT: Final = Text(
    "可不填，例如：指南、政策、药品说明书", "Optional, for example guidelines, policies, leaflets"
)
REPLACE_SAME: Final = Text("同名文件直接替换", "Replace files of the same name")
UPLOADS: Final = Text("上传进度", "Progress of uploads")
SEARCH: Final = Text("检索段落", "Search passages")
SEARCH_LABEL: Final = Text(
    "在资料中检索，不经过大模型", "Search the documents without a language model"
)
SEARCH_PLACEHOLDER: Final = Text("输入要查的内容，直接看原文段落", "Look passages up directly")
SEARCH_BUTTON: Final = Text("检索", "Search")
SEARCH_RESULTS: Final = Text("检索结果", "Results")
DOCUMENTS: Final = Text("全部文档", "All documents")
FILTER: Final = Text("按标题、文件名或分类筛选", "Filter by title, file or collection")
REFRESH: Final = Text("检查更新", "Check for changes")
HEADS: Final = (
    Text("文档", "Document"),
    Text("分类", "Collection"),
    Text("日期", "Date"),
    Text("页数", "Pages"),
    Text("段落", "Passages"),
    Text("状态", "State"),
    Text("操作", "Actions"),
)
PREVIEW: Final = Text("页面预览", "Page preview")
CLOSE: Final = Text("关闭", "Close")
PREVIOUS: Final = Text("上一页", "Previous page")
NEXT: Final = Text("下一页", "Next page")
NO_SCRIPT: Final = Text(
    "这个页面需要启用 JavaScript。请在浏览器设置中允许后刷新。",
    "This page needs JavaScript. Please allow it in the browser's settings and reload.",
)
# What the script shows; {…} are filled in there.
WORDS: Final = {
    "indexed": Text("已索引", "indexed"),
    "waiting": Text("等待索引", "waiting"),
    "indexing": Text("正在索引", "being indexed"),
    "failed": Text("失败", "failed"),
    "removing": Text("待移除", "being removed"),
    "readOnly": Text("只读", "read-only"),
    "readOnlyHint": Text(
        "来自配置的资料目录，只能查看；请在服务器上修改",
        "From a configured folder: it can only be looked at here; change it on the server",
    ),
    "olderAnswers": Text("仍按上一版回答", "the version before still answers"),
    "none": Text("无", "none"),
    "uncollected": Text("未分类", "no collection"),
    "replace": Text("替换", "Replace"),
    "delete": Text("删除", "Delete"),
    "preview": Text("页面预览", "Preview"),
    "replaceNamed": Text("替换 {name}", "Replace {name}"),
    "deleteNamed": Text("删除 {name}", "Delete {name}"),
    "previewNamed": Text("预览 {name}", "Preview {name}"),
    "sureDelete": Text(
        "删除“{name}”？索引更新后将不再据此回答。",
        "Delete “{name}”? Once the index is up to date nothing is answered from it.",
    ),
    "yesDelete": Text("确认删除", "Delete it"),
    "cancel": Text("取消", "Cancel"),
    "deleted": Text("已删除 {name}，索引随后更新", "{name} deleted; the index follows"),
    "uploading": Text("正在上传 {percent}%", "Uploading {percent}%"),
    "arriving": Text("已传完，正在保存", "Arrived, being stored"),
    "uploaded": Text("已上传，等待建立索引", "Uploaded, waiting to be indexed"),
    "replaced": Text("已替换，等待建立索引", "Replaced, waiting to be indexed"),
    "tooLarge": Text(
        "文件超过上限 {size}。请拆分后上传，或请信息科调大 [index] max_file_megabytes",
        "The file is larger than {size}. Please split it, or have [index] max_file_megabytes raised",
    ),
    "empty": Text(
        "文件是空的。请检查文件是否完整", "The file is empty. Please check that it is complete"
    ),
    "folder": Text(
        "不能上传文件夹。请选择其中的文件",
        "Folders cannot be uploaded. Please choose the files in it",
    ),
    "offline": Text(
        "连接中断，没有传完。请检查网络后重试",
        "The connection broke before everything arrived. Please check the network and try again",
    ),
    "taken": Text("替换原文件", "Replace the old file"),
    "dismiss": Text("清除", "Dismiss"),
    "dismissNamed": Text("清除 {name} 的提示", "Dismiss the line about {name}"),
    "count": Text("共 {count} 个文档，{passages} 个段落", "{count} documents, {passages} passages"),
    "shown": Text("筛选出 {shown} 个，共 {count} 个文档", "{shown} of {count} documents"),
    "noDocuments": Text(
        "资料库还是空的。上传第一份文档后，医问就能据此回答。",
        "The library is empty. Upload a first document and Yiwen can answer from it.",
    ),
    "noMatch": Text("没有符合筛选条件的文档。", "No document fits the filter."),
    "more": Text("再显示 {count} 个", "Show {count} more"),
    "idle": Text("索引已是最新", "The index is up to date"),
    "working": Text("正在更新索引：{text}", "Updating the index: {text}"),
    "workingCount": Text(
        "正在更新索引：{text}（{done}/{total}）", "Updating the index: {text} ({done}/{total})"
    ),
    "preparing": Text("准备", "preparing"),
    "runFailed": Text("索引没有更新：{error}", "The index was not updated: {error}"),
    "retry": Text("重试", "Try again"),
    "searching": Text("正在检索", "Searching"),
    "emptyQuestion": Text("请先输入要查的内容。", "Please type what to look for."),
    "found": Text("找到 {count} 个段落", "{count} passages found"),
    "nothingFound": Text("没有相关的段落。", "No passage fits."),
    "page": Text("第 {page} 页", "page {page}"),
    "pageOf": Text("第 {page} 页，共 {pages} 页", "page {page} of {pages}"),
    "score": Text("得分 {score}", "score {score}"),
    "openPage": Text("查看这一页", "Look at this page"),
    "pageImage": Text("{name} 第 {page} 页", "{name}, page {page}"),
    "pageLoading": Text("正在生成页面图像", "Drawing the page"),
    "loadFailed": Text("列表没有取到：{error}", "The list did not arrive: {error}"),
    "unknown": Text(
        "服务没有回应。请稍后重试", "The service did not answer. Please try again later"
    ),
    "megabytes": Text("{size} MB", "{size} MB"),
    "kilobytes": Text("{size} KB", "{size} KB"),
}
NOT_ALLOWED: Final = Text(
    "您没有修改资料库的权限。请联系信息科",
    "You may not change the library. Please ask the IT department",
)
BAD_UPLOAD: Final = Text(
    "上传的内容不完整或格式不对。请重新选择文件后上传",
    "The upload is incomplete or malformed. Please choose the files again",
)
NO_FILE: Final = Text(
    "没有收到文件。请选择文件后上传", "No file arrived. Please choose a file and upload it"
)
NO_ROOM: Final = Text(
    "服务器临时目录写不下（{reason}）。请联系信息科检查磁盘空间",
    "The server cannot write its temporary folder ({reason}). Please have the IT department check the disk",
)
TOO_LARGE: Final = Text(
    "上传的内容超过大小上限，已拒绝。请拆分文件，或调大 [index] max_file_megabytes。",
    "The upload is larger than allowed and was refused. Please split the file, or raise [index] max_file_megabytes.",
)
