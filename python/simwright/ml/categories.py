"""Targets that are categories."""

from typing import Any


def to_one_hot(targets: Any, num_classes: int) -> Any:
    """Categories as vectors: array of shape (samples, num_classes), with a further dimension for each of targets but a last of 1.

    :raises ValueError: a category that is none of 0 … num_classes - 1
    """
    import numpy

    categories = numpy.asarray(targets).astype(numpy.int64)
    if categories.ndim > 1 and categories.shape[-1] == 1:
        categories = categories[..., 0]
    if categories.size and not 0 <= categories.min() <= categories.max() < num_classes:
        raise ValueError("there are categories from {} to {}, for {} classes".format(categories.min(), categories.max(), num_classes))
    return numpy.eye(num_classes, dtype=numpy.float32)[categories]
