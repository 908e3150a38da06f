"""Answers as files that leave the page: Markdown, Word and PDF, labelled as 标识办法 asks."""
