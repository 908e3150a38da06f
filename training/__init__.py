"""Training of the reader: from cmrc2018-train to rag/reader/weights; see training/README.md."""
