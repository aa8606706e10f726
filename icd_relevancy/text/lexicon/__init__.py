"""What a note names: codes by words of their titles and of the training notes."""

from icd_relevancy.text.lexicon.lexicon import Lexicon

__all__ = ["Lexicon"]
