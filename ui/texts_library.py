"""Every string of the library's page, in Chinese."""

from typing import Final

TITLE: Final = "资料库"
HEADING: Final = "资料库"
LEAD: Final = "医问只依据这里的文档回答。上传后自动建立索引，完成之前仍按原有索引回答。"
BACK: Final = "返回问答"
PRODUCT: Final = "医问"

UPLOAD: Final = "上传文档"
DROP: Final = "把文件拖到这里，或"
CHOOSE: Final = "选择文件"
TYPES: Final = "支持 PDF、Word（.docx）、Excel（.xlsx）、网页、Markdown、文本与扫描图片；单个文件不超过 {size}。"
COLLECTION: Final = "存入分类"
COLLECTION_HINT: Final = "可不填，例如：指南、政策、药品说明书"
REPLACE_SAME: Final = "同名文件直接替换"
UPLOADS: Final = "上传进度"

SEARCH: Final = "检索段落"
SEARCH_LABEL: Final = "在资料中检索，不经过大模型"
SEARCH_PLACEHOLDER: Final = "输入要查的内容，直接看原文段落"
SEARCH_BUTTON: Final = "检索"
SEARCH_RESULTS: Final = "检索结果"

DOCUMENTS: Final = "全部文档"
FILTER: Final = "按标题、文件名或分类筛选"
REFRESH: Final = "检查更新"
HEADS: Final = ("文档", "分类", "日期", "页数", "段落", "状态", "操作")
PREVIEW: Final = "页面预览"
CLOSE: Final = "关闭"
PREVIOUS: Final = "上一页"
NEXT: Final = "下一页"
NO_SCRIPT: Final = "这个页面需要启用 JavaScript。请在浏览器设置中允许后刷新。"

# What the script shows; {…} are filled in there.
WORDS: Final = {
    "indexed": "已索引",
    "waiting": "等待索引",
    "indexing": "正在索引",
    "failed": "失败",
    "removing": "待移除",
    "readOnly": "只读",
    "readOnlyHint": "来自配置的资料目录，只能查看；请在服务器上修改",
    "olderAnswers": "仍按上一版回答",
    "none": "无",
    "uncollected": "未分类",
    "replace": "替换",
    "delete": "删除",
    "preview": "页面预览",
    "replaceNamed": "替换 {name}",
    "deleteNamed": "删除 {name}",
    "previewNamed": "预览 {name}",
    "sureDelete": "删除“{name}”？索引更新后将不再据此回答。",
    "yesDelete": "确认删除",
    "cancel": "取消",
    "deleted": "已删除 {name}，索引随后更新",
    "uploading": "正在上传 {percent}%",
    "arriving": "已传完，正在保存",
    "uploaded": "已上传，等待建立索引",
    "replaced": "已替换，等待建立索引",
    "tooLarge": "文件超过上限 {size}。请拆分后上传，或请信息科调大 [index] max_file_megabytes",
    "empty": "文件是空的。请检查文件是否完整",
    "folder": "不能上传文件夹。请选择其中的文件",
    "offline": "连接中断，没有传完。请检查网络后重试",
    "taken": "替换原文件",
    "dismiss": "清除",
    "dismissNamed": "清除 {name} 的提示",
    "count": "共 {count} 个文档，{passages} 个段落",
    "shown": "筛选出 {shown} 个，共 {count} 个文档",
    "noDocuments": "资料库还是空的。上传第一份文档后，医问就能据此回答。",
    "noMatch": "没有符合筛选条件的文档。",
    "more": "再显示 {count} 个",
    "idle": "索引已是最新",
    "working": "正在更新索引：{text}",
    "workingCount": "正在更新索引：{text}（{done}/{total}）",
    "preparing": "准备",
    "runFailed": "索引没有更新：{error}",
    "retry": "重试",
    "searching": "正在检索",
    "emptyQuestion": "请先输入要查的内容。",
    "found": "找到 {count} 个段落",
    "nothingFound": "没有相关的段落。",
    "page": "第 {page} 页",
    "pageOf": "第 {page} 页，共 {pages} 页",
    "score": "得分 {score}",
    "openPage": "查看这一页",
    "pageImage": "{name} 第 {page} 页",
    "pageLoading": "正在生成页面图像",
    "loadFailed": "列表没有取到：{error}",
    "unknown": "服务没有回应。请稍后重试",
    "megabytes": "{size} MB",
    "kilobytes": "{size} KB",
}

# What the server answers.
NOT_ALLOWED: Final = "您没有修改资料库的权限。请联系信息科"
BAD_UPLOAD: Final = "上传的内容不完整或格式不对。请重新选择文件后上传"
NO_FILE: Final = "没有收到文件。请选择文件后上传"
NO_ROOM: Final = "服务器临时目录写不下（{reason}）。请联系信息科检查磁盘空间"
TOO_LARGE: Final = "上传的内容超过大小上限，已拒绝。请拆分文件，或调大 [index] max_file_megabytes。"
