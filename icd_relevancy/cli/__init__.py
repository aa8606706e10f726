"""The command line."""

from icd_relevancy.cli.main import main

__all__ = ["main"]
