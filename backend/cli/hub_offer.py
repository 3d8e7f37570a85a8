"""What the hub offers under a name: shown and agreed to before it is fetched, and told file by file while it is."""

import typer

from backend.catalogue.hub import Offer
from backend.cli.console import out
from backend.datasets.hub import DataOffer


def agree(name: str, offer: Offer | DataOffer, files: int, *, asks: bool) -> None:
    """Say what would be fetched; where it asks and the answer is no, leave."""
    out().print(
        f"{name} at commit {offer.commit}: licence {offer.licence}, {offer.bytes / 1e6:,.1f} MB in {files} files.",
        markup=False,
    )
    if asks:
        typer.confirm("Fetch it?", abort=True)


def tell(file: str, done: int, total: int) -> None:
    """One line a file."""
    out().print(f"{done / max(total, 1):4.0%} {file}", markup=False)
