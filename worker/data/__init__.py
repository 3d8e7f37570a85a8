"""Data sets for training: rows in tokens, what a seed draws from them, and the order it trains in."""

from worker.data.draw import SeedData, draw
from worker.data.elsewhere import Further, further
from worker.data.order import batches, halves
from worker.data.rows import Rows
from worker.data.source import Dataset, load
from worker.data.tokenised import Tokenised, reader_of, tokenise

__all__ = [
    "Dataset",
    "Further",
    "Rows",
    "SeedData",
    "Tokenised",
    "batches",
    "draw",
    "further",
    "halves",
    "load",
    "reader_of",
    "tokenise",
]
