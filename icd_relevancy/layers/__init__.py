"""Keras layers."""

from icd_relevancy.layers.encoder import TransformerEncoder

__all__ = ["TransformerEncoder"]
