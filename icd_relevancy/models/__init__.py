"""Models, and the controls they are compared with."""

from typing import TYPE_CHECKING

from icd_relevancy.registry import attach

if TYPE_CHECKING:
    from icd_relevancy.models.caml import caml, caml_body
    from icd_relevancy.models.classifier import jams, label_attention_classifier
    from icd_relevancy.models.hmhan import attention_classifier, hmhan_classifier, no_attention_classifier
    from icd_relevancy.models.laat import laat, laat_body
    from icd_relevancy.models.lexicon import joint_lexicon_classifier, lexicon_classifier
    from icd_relevancy.models.linear import note_classifier
    from icd_relevancy.models.medication import (
        FrequencyDummy,
        mean_network,
        mean_of_children,
        medication_network,
        predict_blocks,
        predict_streamed,
    )
    from icd_relevancy.models.multirescnn import multirescnn, multirescnn_body
    from icd_relevancy.models.parts import (
        attention_model,
        encoder_of,
        head_of,
        system_attention_model,
        system_model,
    )
    from icd_relevancy.models.plm_icd import plm_icd, plm_icd_body

__all__ = [
    "FrequencyDummy",
    "attention_classifier",
    "attention_model",
    "caml",
    "caml_body",
    "encoder_of",
    "head_of",
    "hmhan_classifier",
    "jams",
    "joint_lexicon_classifier",
    "laat",
    "laat_body",
    "label_attention_classifier",
    "lexicon_classifier",
    "mean_network",
    "mean_of_children",
    "medication_network",
    "multirescnn",
    "multirescnn_body",
    "no_attention_classifier",
    "note_classifier",
    "plm_icd",
    "plm_icd_body",
    "predict_blocks",
    "predict_streamed",
    "system_attention_model",
    "system_model",
]

_HOME = {
    "caml": "caml caml_body",
    "hmhan": "attention_classifier hmhan_classifier no_attention_classifier",
    "laat": "laat laat_body",
    "classifier": "jams label_attention_classifier",
    "parts": "attention_model encoder_of head_of system_attention_model system_model",
    "lexicon": "joint_lexicon_classifier lexicon_classifier",
    "medication": "FrequencyDummy mean_network mean_of_children medication_network predict_blocks predict_streamed",
    "multirescnn": "multirescnn multirescnn_body",
    "linear": "note_classifier",
    "plm_icd": "plm_icd plm_icd_body",
}

# Importing all of them would load Keras for whoever only reads which there are.
__getattr__, __dir__ = attach(
    __name__,
    {name: f"icd_relevancy.models.{module}" for module, names in _HOME.items() for name in names.split()},
)
