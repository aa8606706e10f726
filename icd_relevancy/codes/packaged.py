"""The code systems that installed packages bring, by name."""

from icd_relevancy.codes.icd9cm import icd9cm
from icd_relevancy.codes.icd10cm import icd10cm

PACKAGED = {"icd10cm": icd10cm, "icd9cm": icd9cm}
