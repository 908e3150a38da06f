"""Files in, passages out: read, clean, split."""
