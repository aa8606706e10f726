"""The direction of a deviation: too much or too little of something."""

import numpy as np

from icd_relevancy.codes.rules import CodeMatcher

TOO_LITTLE = (
    r"\b((?:pan)?hypo-?(?:kal|natr|calc|citrat|glyc|thyr|tens|volem|therm|magnes|phosph|potass|prote|album|"
    r"parath|pituit|funct|gonad|plas|xi|xem|chlor|osmol|kine|ton|gamma|ventil|active|metab|aldost|somn|lip|"
    r"prothromb|sec|adren|tropi|chrom|pigment|trich|vita|esth|splen|insulin|galact|nasal)\w*|hyposmolality|"
    r"\w*penia|agranulocytosis|underactiv\w*|deficiency|insufficiency|underweight|deficit|decreased|reduced|"
    r"inadequate|insufficient|oligur\w+|oligospermia|oligomenorrhea|oligohydramnios|anuria|anorexia|insomnia|"
    r"acidosis|brady\w+|dehydration|depletion|weight loss|hair loss|alopecia|short stature|diabetes insipidus|"
    r"micro(?:ceph|gloss|stom|gnath|phthal|corn|dont)\w+|delayed puberty|poor fetal growth|"
    r"small for gestational age|low birth weight)\b"
)
TOO_MUCH = (
    r"\b(hyper\w+|overactiv\w*|excess|excessive|obesity|overweight|overdose|elevated|increased|"
    r"(?:leuko|lympho|mono|plasma|thrombo|erythro)cytosis|thrombocythemia|polycythemia|tachy\w+|overload|"
    r"weight gain|tall stature|gigantism|acromegaly|inappropriate secretion of antidiuretic hormone|"
    r"macro(?:ceph|gloss|stom|gnath|corn|dont)\w+|polyhydramnios|poly(?:uria|phagia|dipsia)|"
    r"alkalosis|thyrotoxicosis|precocious puberty|large for gestational age)\b"
)
# A leaking valve or vein and a narrowed coronary artery are faults of structure, and a kidney that does not
# answer to vasopressin lacks none; a drug has the name of what it treats or does.
UNDIRECTED = (
    r"\b(valve|mitral|aortic|tricuspid|venous|coronary)\b.*\binsufficiency\b|"
    r"\binsufficiency\b.*\b(valve|mitral|aortic|tricuspid|venous|coronary)\b|nephrogenic diabetes insipidus|"
    r"\bhyp(o|er)\w+ (\[\w+\] )?(drugs?|agents?)\b"
)
DRUGS_10 = "T36-T50"
DRUGS_9 = "960-979 E850-E858 E930-E949"


def polarity(matcher: CodeMatcher) -> np.ndarray:
    """Direction of the deviation that each code's title affirms: 1, -1, or 0 where it tells none or both.

    Args:
        matcher: the codes.
    """
    little, much = matcher.titled(TOO_LITTLE), matcher.titled(TOO_MUCH)
    found = much.astype(float) - little
    found[matcher.titled(UNDIRECTED)] = 0.0
    found[matcher.within(DRUGS_10 if matcher.edition == 10 else DRUGS_9)] = 0.0
    return found
