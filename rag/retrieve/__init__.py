"""Passages in, ranked hits out: embed, keyword, store, fuse, rerank, index."""
