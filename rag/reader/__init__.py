"""The reader: a small encoder that reads a question (or a claim) and a passage together."""
