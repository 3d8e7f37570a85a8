"""What a person should know before they make a data set of a file: one sentence for each thing, the gravest first."""

from .schemas import DatasetPreview

RARE = 0.05  # share of the rows of a label that is called rare
FEW = 30  # rows of validation under which intervals say little


def warnings(found: DatasetPreview) -> list[str]:
    """Sentences about leakage, repeats, balance, refused rows and lengths."""
    told = []
    if found.leaked:
        told.append(
            f"{_rows(found.leaked, 'says', 'say')} in the validation split what a training row says: that rewards "
            "learning by heart. Drop repeats, or split by a group that keeps them together."
        )
    if found.conflicting:
        told.append(
            f"{_rows(found.conflicting)} have a text that also stands under another label; look at their labels."
        )
    if found.duplicates:
        told.append(
            f"{_rows(found.duplicates, 'says', 'say')} what an earlier row says; repeats count twice unless dropped."
        )
    if found.refused:
        share = found.refused / found.read
        told.append(f"{_rows(found.refused)} ({share:.1%}) cannot be used; the list says why.")
    told += _balance(found)
    validation = found.rows["validation"]
    if found.kept and validation < FEW:
        told.append(f"Only {_rows(validation)} for validation: differences between methods will hardly be seen.")
    if found.task == "classification" and found.label_count > 20 and _numeric(found):
        told.append("The labels are many different numbers; is the task regression?")
    told += _long(found)
    if not found.whole and not found.problems:
        told.append(
            f"The file is large: this is what its first {found.read:,} rows say. All are read when it is added."
        )
    return told


def _balance(found: DatasetPreview) -> list[str]:
    if not found.labels or found.label_count < 2:
        return []
    told = []
    absent = [label.name for label in found.labels if not label.train or not label.validation]
    if absent:
        told.append(f"On one side of the split only: {_listed(absent)}; such a label is not learned, or not measured.")
    rare = [label.name for label in found.labels if 0 < label.train + label.validation < RARE * found.kept]
    if rare and found.label_count <= 20:
        told.append(f"Rare labels (under {RARE:.0%} of the rows): {_listed(rare)}; look at macro-F1 beside accuracy.")
    return told


def _long(found: DatasetPreview) -> list[str]:
    lengths = found.lengths
    if lengths is None or lengths.longest <= lengths.context_length:
        return []
    return [
        f"The longest row has {lengths.longest:,} tokens; {lengths.model} reads {lengths.context_length:,}: "
        "what is longer is cut at its end."
    ]


def _numeric(found: DatasetPreview) -> bool:
    return all(label.name.lstrip("-").replace(".", "", 1).isdigit() for label in found.labels)


def _listed(names: list[str]) -> str:
    shown = ", ".join(repr(name[:40]) for name in names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown


def _rows(count: int, one: str = "", several: str = "") -> str:
    noun, verb = ("row", one) if count == 1 else ("rows", several)
    return f"{count:,} {noun} {verb}".rstrip()
