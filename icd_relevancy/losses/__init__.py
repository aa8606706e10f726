"""Losses for `keras.Model.compile`."""

from icd_relevancy.losses.relevancy import BHML, PLCL, TLCL, WHML, plcl, tlcl

__all__ = ["BHML", "PLCL", "TLCL", "WHML", "plcl", "tlcl"]
