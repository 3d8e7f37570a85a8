"""The methods page and its pictures, made from the framework's tables: `python -m transformer_dropout.docs docs`."""

from .page import methods_page
from .pictures import block_picture, structures_picture

__all__ = ["block_picture", "methods_page", "structures_picture"]
