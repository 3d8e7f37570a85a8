"""What a preview says beyond the advice on the rows themselves: lengths, and that it is of a part."""

from .schemas import DatasetPreview


def partial(found: DatasetPreview) -> list[str]:
    """Sentences about texts that a model does not read whole, and files that were not read whole."""
    told = []
    lengths = found.lengths
    if lengths is not None and lengths.longest > lengths.context_length:
        told.append(
            f"The longest row has {lengths.longest:,} tokens; {lengths.model} reads {lengths.context_length:,}: "
            "what is longer is cut at its end."
        )
    if not found.whole and not found.problems:
        told.append(
            f"The file is large: this is what its first {found.read:,} rows say. All are read when it is added."
        )
    return told
