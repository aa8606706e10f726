"""Who matches whom: the relevance graph of codes."""

from icd_relevancy.relevance.graph import RelevanceGraph, get_relevance, set_relevance

__all__ = ["RelevanceGraph", "get_relevance", "set_relevance"]
