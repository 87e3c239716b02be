"""Files of TensorFlow models, with their weights in them, as the store runs them; and the datasets of Keras."""

import os
from pathlib import Path
from typing import Any, List, Optional, Sequence, Tuple

import tensorflow as tf

from .keras import DynamicDataGenerator, StaticDataGenerator, StopAtEnd

__all__ = ["DynamicDataGenerator", "StaticDataGenerator", "StopAtEnd", "freeze_model", "serialize_model"]


def freeze_model(
    model: Any, output_dir: str, file_name: str, signature: Optional[Sequence[Any]] = None
) -> Tuple[str, List[str], List[str]]:
    """Writes a model as a frozen graph, for `client.set_model_from_file(..., "TF", inputs=..., outputs=...)`.

    :param model: Keras model, or function of TensorFlow
    :param output_dir: folder of the file; it is made if it is not there
    :param file_name: name of the file; .pb is added
    :param signature: tf.TensorSpec of each input; default: those of a Keras model
    :return: absolute path of the file, names of inputs, names of outputs
    :raises ValueError: the inputs of the model are not known
    """
    graph, inputs, outputs = _frozen(model, signature)
    if not file_name.endswith(".pb"):
        file_name += ".pb"
    path = Path(output_dir, file_name).resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    # A store that is told of the file must find all of it.
    part = path.with_name("{}.{}.part".format(path.name, os.getpid()))
    part.write_bytes(graph.SerializeToString(deterministic=True))
    part.replace(path)
    return str(path), inputs, outputs


def serialize_model(model: Any, signature: Optional[Sequence[Any]] = None) -> Tuple[bytes, List[str], List[str]]:
    """A model as the bytes of a frozen graph, for `client.set_model(..., "TF", inputs=..., outputs=...)`.

    :param model: Keras model, or function of TensorFlow
    :param signature: tf.TensorSpec of each input; default: those of a Keras model
    :return: the bytes, names of inputs, names of outputs
    :raises ValueError: the inputs of the model are not known
    """
    graph, inputs, outputs = _frozen(model, signature)
    return graph.SerializeToString(deterministic=True), inputs, outputs


def _frozen(model: Any, signature: Optional[Sequence[Any]]) -> Tuple[Any, List[str], List[str]]:
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    concrete = _concrete(model, signature)
    frozen = convert_variables_to_constants_v2(concrete)
    inputs = [tensor.name.split(":")[0] for tensor in frozen.inputs]
    outputs = [tensor.name.split(":")[0] for tensor in frozen.outputs]
    return frozen.graph.as_graph_def(), inputs, outputs


def _concrete(model: Any, signature: Optional[Sequence[Any]]) -> Any:
    if hasattr(model, "get_concrete_function"):
        return model.get_concrete_function(*(signature or ()))
    inputs = getattr(model, "inputs", None)
    if signature is None:
        if not inputs:
            raise ValueError("the inputs of the model are not known: call it once, or say its signature")
        signature = [tf.TensorSpec(one.shape, one.dtype) for one in inputs]
    # Arguments of call(): one tensor, or tensors in the structure that the model was made with.
    structure = getattr(model, "input", None) if inputs else None

    def call(*tensors: Any) -> Any:
        if structure is not None and len(tensors) > 1:
            return model(tf.nest.pack_sequence_as(structure, list(tensors)))
        return model(*tensors)

    return tf.function(call).get_concrete_function(*signature)
