"""Readers of public sources, and any source by its name."""
