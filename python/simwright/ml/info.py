"""Names of training data in the store, as SmartSim has them."""

from typing import Any, Optional

from .store import logger


def form_name(*parts: Any) -> str:
    """The parts that are not None, joined by `_`."""
    return "_".join(str(part) for part in parts if part is not None)


class DataInfo:
    """Names of a training set in the store: of its list, and of the tensors in each of its data sets.

    :param list_name: name of the list of data sets
    :param sample_name: name of the tensor of samples in each data set
    :param target_name: name of the tensor of targets; "" for none; `sample_name` if samples are their own targets
    :param num_classes: number of classes, for targets that are categories
    """

    def __init__(
        self,
        list_name: str,
        sample_name: str = "samples",
        target_name: str = "targets",
        num_classes: Optional[int] = None,
    ) -> None:
        self.list_name = list_name
        self.sample_name = sample_name
        self.target_name = target_name
        self.num_classes = num_classes

    @property
    def dataset_name(self) -> str:
        """Name of the data set that publishes this."""
        return form_name(self.list_name, "info")

    @property
    def autoencoding(self) -> bool:
        """True if samples are their own targets."""
        return self.sample_name == self.target_name

    @property
    def need_targets(self) -> bool:
        """True if data sets have a tensor of targets."""
        return bool(self.target_name) and not self.autoencoding

    def publish(self, client: Any) -> None:
        """Puts this into the store, where `download` finds it. `client` is a smartredis.Client."""
        from smartredis import Dataset

        dataset = Dataset(self.dataset_name)
        dataset.add_meta_string("sample_name", self.sample_name)
        if self.target_name:
            dataset.add_meta_string("target_name", self.target_name)
        if self.num_classes:
            dataset.add_meta_scalar("num_classes", self.num_classes)
        client.put_dataset(dataset)

    def download(self, client: Any) -> bool:
        """Takes what has been published, from the client's data source. Keeps what it has, and returns False, if nothing has."""
        from smartredis.error import RedisReplyError

        try:
            dataset = client.get_dataset(self.dataset_name)
        except RedisReplyError:
            logger.warning("%s has not been published; these stay:\n%s", self.dataset_name, self)
            return False
        self._take(dataset)
        return True

    def _take(self, dataset: Any) -> None:
        self.sample_name = dataset.get_meta_strings("sample_name")[0]
        fields = dataset.get_metadata_field_names()
        if "target_name" in fields:
            self.target_name = dataset.get_meta_strings("target_name")[0]
        if "num_classes" in fields:
            self.num_classes = int(dataset.get_meta_scalars("num_classes")[0])

    def __repr__(self) -> str:
        lines = [
            "DataInfo object",
            "Aggregation list name: {}".format(self.list_name),
            "Sample tensor name: {}".format(self.sample_name),
        ]
        if self.target_name:
            lines.append("Target tensor name: {}".format(self.target_name))
        if self.num_classes:
            lines.append("Number of classes: {}".format(self.num_classes))
        return "\n".join(lines)
