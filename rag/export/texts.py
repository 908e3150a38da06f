"""Every string of an exported file, Chinese; another language is another `ExportTexts`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExportTexts:
    """Strings with ``{…}`` are filled with ``str.format``; ``label`` is the visible AI label of
    《人工智能生成合成内容标识办法》, which stands on every page."""

    label: str = "内容由人工智能生成，须由医师确认"
    title: str = "医问对话记录"
    model: str = "模型：{name}"
    filing: str = "备案号：{number}"
    exported: str = "导出时间：{time}"
    question: str = "问题 {number}"
    asked: str = "{question}（{time}）"
    answer: str = "回答（{state}）"
    answer_of: str = "回答（{state}，{model}）"
    answered: str = "已回答"
    uncertain: str = "不确定"
    not_found: str = "资料中未找到"
    stopped: str = "回答未完成，以上内容不完整。"
    unsupported: str = "⚠ 未得到引用资料支持：{sentence}"
    mismatch: str = "⚠ 数字未在引用资料中出现：{numbers}"
    sources: str = "引用资料"
    page: str = "第 {page} 页"
    source: str = "来源：{source}"
    original: str = "文件原文：{original}"
    untitled: str = "未命名资料"
    separator: str = "，"
