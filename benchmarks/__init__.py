"""Measurements of the product, each printed by one command; none is a test."""
