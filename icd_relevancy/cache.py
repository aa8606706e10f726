"""The folder for what is fetched or computed once and used again."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """The cache folder: `$ICD_RELEVANCY_CACHE` where it is set, else `~/.cache/icd_relevancy`.

    Returns:
        The folder's path; the folder itself need not exist yet.

    Example:

    >>> from icd_relevancy.cache import cache_folder
    >>> path = cache_folder() / "encoders"
    """
    given = os.environ.get("ICD_RELEVANCY_CACHE")
    return Path(given).expanduser() if given else Path.home() / ".cache" / "icd_relevancy"
