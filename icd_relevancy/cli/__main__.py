"""`python -m icd_relevancy.cli` is `icd-relevancy`."""

import sys

from icd_relevancy.cli.main import main

sys.exit(main())
