"""What a run measures on data sets beside its own: how such a value is called, and what is known of it."""

from backend.shared.metrics import Metric

PREFIX = "also/"
_LOSS, _ACCURACY = "loss", "accuracy"


def named(dataset_id: str, quantity: str) -> str:
    """The name of a quantity, `loss` or `accuracy`, of a further data set: also/<data set>/<quantity>."""
    return f"{PREFIX}{dataset_id}/{quantity}"


def metric(name: str) -> Metric | None:
    """What is known of a value by its name; None where it is not one of a further data set."""
    dataset_id, _, quantity = name.removeprefix(PREFIX).rpartition("/")
    if not name.startswith(PREFIX) or not dataset_id:
        return None
    if quantity == _LOSS:
        return Metric(name, f"Loss on {dataset_id}", "nats", False, short="Loss", loss=True)
    if quantity == _ACCURACY:
        return Metric(name, f"Accuracy on {dataset_id}", "share", True, shown="share", short="Accuracy")
    return None
