"""Datasets of Keras that read what producers put into the store."""

from typing import Any, Optional

import keras

from .downloader import TrainingDownloader

# Keras 2 calls it Sequence.
_PyDataset = getattr(keras.utils, "PyDataset", None) or keras.utils.Sequence

#: Options of keras.utils.PyDataset.
_KERAS_OPTIONS = ("workers", "use_multiprocessing", "max_queue_size")


class DynamicDataGenerator(TrainingDownloader, _PyDataset):  # type: ignore[misc,valid-type]
    """Batches for Keras, of all samples that are there: those that have come during an epoch are in the next.

    Train by its own `fit()`: Keras 3 counts the batches of an epoch once, when a call of its `fit()` begins, so that later epochs have as
    many, drawn from all samples if `shuffle`.

    Options are those of TrainingDownloader, and `workers`, `use_multiprocessing` and `max_queue_size` of Keras. Targets of
    `num_classes` classes are given as vectors, unless `one_hot=False`.
    """

    _is_dynamic = True

    def __init__(self, data_info_or_list_name: Any, **options: Any) -> None:
        if options.pop("dynamic", self._is_dynamic) != self._is_dynamic:
            raise ValueError("{} has dynamic={} always".format(type(self).__name__, self._is_dynamic))
        own = {name: options.pop(name) for name in _KERAS_OPTIONS if name in options}
        _PyDataset.__init__(self, **own)
        options.setdefault("one_hot", True)
        super().__init__(data_info_or_list_name, dynamic=self._is_dynamic, **options)

    def __getitem__(self, index: int) -> Any:
        """The batch of that number: an array of shape (batch_size, ...), with its targets if there are some.

        :raises ValueError: there are fewer samples than a batch has
        """
        if len(self) < 1:
            raise ValueError("there are fewer samples than one batch has: call init_samples() first")
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self._data_generation(self._calc_indices(index))

    def on_epoch_end(self) -> None:
        """Reads new batches if `dynamic`, and mixes the samples if `shuffle`. Keras calls it."""
        self.update_data()

    def fit(self, model: Any, epochs: Optional[int] = None, after_end: int = 1, **options: Any) -> Any:
        """Trains a model until producers have ended, with all samples that are there in each epoch; one call of Keras's `fit()` an epoch.

        :param model: compiled keras.Model
        :param epochs: number of epochs at most
        :param after_end: epochs that begin after the end, and thus have all samples
        :param options: those of keras.Model.fit
        :return: keras.callbacks.History of all epochs
        :raises TrainingDataTimeout: no batch has come for `timeout` seconds
        """
        whole: Any = None
        for epoch in self.epochs(epochs, after_end):
            self.update_data()
            history = model.fit(self, initial_epoch=epoch, epochs=epoch + 1, **options)
            if whole is None:
                whole = history
            else:
                whole.epoch += history.epoch
                for name, values in history.history.items():
                    whole.history.setdefault(name, []).extend(values)
            if model.stop_training:
                break
        return whole

    def stop_at_end(self, after_end: int = 1) -> "StopAtEnd":
        """A callback that ends Keras's own `fit()` once producers have ended.

        :param after_end: epochs that have all samples
        """
        return StopAtEnd(self, after_end)


class StaticDataGenerator(DynamicDataGenerator):
    """Batches for Keras, of the samples that are there when it is made, and of no others."""

    _is_dynamic = False


class StopAtEnd(keras.callbacks.Callback):  # type: ignore[misc]
    """Callback that ends `fit()` when producers have ended, and so many epochs have had all samples."""

    def __init__(self, dataset: TrainingDownloader, after_end: int = 1) -> None:
        super().__init__()
        self._dataset = dataset
        self._after_end = after_end
        self._last: Optional[int] = None

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        # The dataset looks for new batches at the end of this epoch: the next one has all.
        if self._last is None and self._dataset.published_end() is not None:
            self._last = epoch + self._after_end

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self._last is not None and epoch >= self._last:
            self.model.stop_training = True
