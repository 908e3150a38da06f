"""Hits in, a cited answer out: evidence, prompt, language model, citations, checks."""
