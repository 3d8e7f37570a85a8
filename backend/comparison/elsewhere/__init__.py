"""What it cost elsewhere: how runs changed on data sets that they were not trained on."""

from .measure import elsewhere

__all__ = ["elsewhere"]
