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


def private_folder(path) -> Path:
    """Makes a folder, and those above it that are missing, for its owner alone: caches tell of patients.

    A folder that is there already keeps its permissions.

    Args:
        path: The folder.

    Returns:
        The path.

    Example:

    >>> from icd_relevancy.cache import private_folder
    >>> folder = private_folder("results/cache")
    """
    path = Path(path)
    for folder in [*reversed(path.parents), path]:
        # Not by `parents=True`, which gives the folders above the permissions of any other.
        folder.mkdir(mode=0o700, exist_ok=True)
    return path
