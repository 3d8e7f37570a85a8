"""What can be studied: models and data sets by id, and facts about them told without loading any."""

from backend.shared.catalogue.datasets import (
    absent_datasets,
    dataset_folder,
    find_dataset,
    list_datasets,
    require_dataset,
)
from backend.shared.catalogue.models import (
    absent_models,
    find_model,
    list_models,
    model_location,
    require_model,
)
from backend.shared.catalogue.targets import matching_modules, module_suffixes, named_targets
from backend.shared.facts import SPLITS, Absent, DatasetFacts, ModelFacts

__all__ = [
    "SPLITS",
    "Absent",
    "DatasetFacts",
    "ModelFacts",
    "absent_datasets",
    "absent_models",
    "dataset_folder",
    "find_dataset",
    "find_model",
    "list_datasets",
    "list_models",
    "matching_modules",
    "model_location",
    "module_suffixes",
    "named_targets",
    "require_dataset",
    "require_model",
]
