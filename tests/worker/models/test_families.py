"""What the catalogue accepts, the library can hook, and what it refuses has a reason."""

from transformer_dropout.hf.families import FAMILIES as HOOKED

from backend.shared.catalogue.families import FAMILIES, REFUSED


def test_every_family_of_the_catalogue_can_be_hooked() -> None:
    """A study of a listed model must not fail in the trainer for want of a place to put its dropout."""
    assert set(FAMILIES) <= set(HOOKED)
    assert not set(FAMILIES) & set(REFUSED)
