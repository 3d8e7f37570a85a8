"""Models are tried in the tests' own process here, too."""

from tests.worker.models.conftest import _tried_here, real_trial

__all__ = ["_tried_here", "real_trial"]
