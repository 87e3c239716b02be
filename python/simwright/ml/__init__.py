"""Training while simulations run: batches of samples go through the store, under the keys that SmartSim's classes use.

`TrainingUploader` is the producer's end, `TrainingDownloader` the trainer's. The datasets of frameworks are in modules of their own:
`simwright.ml.torch`, `simwright.ml.keras`, and `simwright.ml.tf`, which also makes files of models.
"""

from .downloader import TrainingDownloader
from .errors import TrainingDataError, TrainingDataTimeout
from .info import DataInfo, form_name
from .uploader import TrainingUploader

__all__ = [
    "DataInfo",
    "TrainingDataError",
    "TrainingDataTimeout",
    "TrainingDownloader",
    "TrainingUploader",
    "form_name",
]
