"""Code vectors from the words of a code alone, as ICD2Vec makes them."""

from collections.abc import Sequence

from icd_relevancy.codes import CodeSystem
from icd_relevancy.vectors.baselines import chosen_codes
from icd_relevancy.vectors.code_vectors import CodeVectors
from icd_relevancy.vectors.features import CODE_RANGE

RECIPE = "icd2vec-1"


def icd2vec_vectors(
    code_system: CodeSystem,
    codes: Sequence[str] | None = None,
    encoder=None,
    cache=None,
    max_length: int = 150,
    progress: bool = True,
) -> CodeVectors:
    """Vectors of codes by a sentence embedding of their description (ICD2Vec; NNBSVR §2, table 3).

    ICD2Vec embeds what is written about a disease, its approximate synonyms included, with a large clinical
    language model. Here the text of a code is its title, inclusion terms and "includes" notes, and any
    encoder embeds it. The hierarchy plays no part.

    Args:
        code_system: the code system.
        codes: the codes wanted, in order. Defaults to None, all nodes of the system; a large system takes
            minutes to an hour.
        encoder: as for `icd_relevancy.training.embed`: a Hugging Face model folder or hub name, a
            `TransformerEncoder`, whose own settings then hold, or None for the default encoder. Defaults to
            None.
        cache: a folder for the embeddings, from which an interrupted call goes on; None keeps nothing.
            Defaults to None.
        max_length: number of tokens at which a text is cut. Defaults to 150.
        progress: whether to show a progress bar. Defaults to True.

    Returns:
        `CodeVectors` of the encoder's dimensions.

    Raises:
        InputError: a code is not in the system or wanted twice, or the encoder cannot be had.

    Example:
        >>> from icd_relevancy.codes import icd9cm
        >>> vectors = icd2vec_vectors(icd9cm(), codes=["428.0", "462"])  # doctest: +SKIP
        >>> vectors.vectors.shape  # doctest: +SKIP
        (2, 384)
    """
    # Imported here, because the encoder imports TensorFlow.
    from icd_relevancy.encoding.embeddings import embed
    from icd_relevancy.encoding.pretrained import DEFAULT_ENCODER, encoder_hash
    from icd_relevancy.layers import TransformerEncoder

    wanted = chosen_codes(code_system, codes)
    texts = [code_text(code_system, code) for code in wanted]
    vectors = embed(texts, encoder, max_length, cache, progress=progress)
    given = isinstance(encoder, TransformerEncoder)
    name = encoder.name_or_path if given else encoder
    meta = {
        "recipe": RECIPE,
        "code_system": code_system.name,
        "encoder": DEFAULT_ENCODER if name is None else str(name),
        "encoder_hash": encoder.fingerprint() if given else encoder_hash(encoder),
        "pooling": encoder.pooling if given else "mean",
        "max_length": encoder.max_length if given else max_length,
    }
    return CodeVectors(wanted, vectors, meta)


def code_text(code_system: CodeSystem, code: str) -> str:
    """The text of a code that an encoder reads: its title, inclusion terms and "includes" notes.

    Ranges of codes, which the titles of chapters and blocks carry, are left out, as they are no words; so is
    a repeated part.

    Args:
        code_system: the code system.
        code: a code.

    Raises:
        InputError: the code is not in the system.

    Example:
        >>> from icd_relevancy.codes import icd10cm
        >>> code_text(icd10cm(), "J45.2")
        'Mild intermittent asthma'
    """
    parts = (code_system.title(code), *code_system.inclusion_terms(code), *code_system.includes(code))
    words = (CODE_RANGE.sub("", part).strip() for part in parts)
    return "; ".join(dict.fromkeys(part for part in words if part))
