"""Where the dot of a code stands."""


def dotted_icd9(code: str) -> str:
    """ICD-9-CM code with its dot: after four characters in E codes, after three in all others.

    Args:
        code: a diagnosis code in capitals; one that has a dot is returned as it is.

    Example:
        >>> from icd_relevancy.codes.dots import dotted_icd9
        >>> dotted_icd9("E8497"), dotted_icd9("4280"), dotted_icd9("042")
        ('E849.7', '428.0', '042')
    """
    return _dotted(code, 4 if code.startswith("E") else 3)


def dotted_icd10(code: str) -> str:
    """ICD-10 code with its dot, after three characters.

    Args:
        code: a diagnosis code; one that has a dot is returned as it is.

    Example:
        >>> from icd_relevancy.codes.dots import dotted_icd10
        >>> dotted_icd10("J189"), dotted_icd10("W19XXXA"), dotted_icd10("I10")
        ('J18.9', 'W19.XXXA', 'I10')
    """
    return _dotted(code, 3)


def _dotted(code: str, stem: int) -> str:
    return f"{code[:stem]}.{code[stem:]}" if len(code) > stem and "." not in code else code
