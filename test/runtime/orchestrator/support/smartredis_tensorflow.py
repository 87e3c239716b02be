"""The TensorFlow examples of SmartSim's documentation: a fully connected Keras network, frozen as SmartSim's
`freeze_model` does, saved whole, and converted for TensorFlow Lite; stored and run by smartredis. Arguments: a folder, in
which the models are left for others. Prints, by name, what Keras answers itself and what the store has answered.
"""

import pathlib
import shutil
import sys

import keras
import numpy as np
import tensorflow as tf
from answers import Answers, refusal
from smartredis import Client
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

keras.utils.set_random_seed(1)
tf.get_logger().setLevel("ERROR")
folder = pathlib.Path(sys.argv[1])
client = Client()
answers = Answers(client)

model = keras.Sequential(
    [
        keras.layers.InputLayer(shape=(28, 28), name="input"),
        keras.layers.Flatten(name="flatten"),
        keras.layers.Dense(128, activation="relu", name="dense"),
        keras.layers.Dense(10, activation="softmax", name="output"),
    ],
    name="FCN",
)
model.compile(optimizer="adam", loss=keras.losses.SparseCategoricalCrossentropy(), metrics=["accuracy"])


def freeze(function):
    """Graph with its weights as constants, and the names of its inputs and outputs, as SmartSim finds them."""
    frozen = convert_variables_to_constants_v2(function)
    names = [[tensor.name.split(":")[0] for tensor in tensors] for tensors in (frozen.inputs, frozen.outputs)]
    return frozen.graph.as_graph_def().SerializeToString(), *names


def concrete(function, *shapes):
    return tf.function(function).get_concrete_function(*(tf.TensorSpec(shape, tf.float32) for shape in shapes))


def ask(name, backend, blob, arrays, wanted, **options):
    (folder / name).write_bytes(blob)
    client.set_model(name, blob, backend, device="CPU", **options)
    answers.ask_model(name, arrays, wanted)


def of_two(a, b):
    return a + b, a * b, tf.argmax(a - b, axis=1)


images = np.random.default_rng(1).random((20, 28, 28), dtype=np.float32)
digits = {"digits": model(images).numpy()}
graph, inputs, outputs = freeze(concrete(lambda x: model(x), model.inputs[0].shape))
ask("fcn", "TF", graph, [images], digits, inputs=inputs, outputs=outputs)
client.set_model_from_file("fcn-file", str(folder / "fcn"), "TF", device="CPU", inputs=inputs, outputs=outputs)
answers.ask_model("fcn-file", [images[:1]], {"digits": model(images[:1]).numpy()})

a, b = images[0, :4], images[1, :4]
two, two_inputs, two_outputs = freeze(concrete(of_two, [None, 28], [None, 28]))
wanted = dict(zip(["sum", "product", "largest"], map(np.asarray, of_two(a, b))))
ask("of-two", "TF", two, [a, b], wanted, inputs=two_inputs, outputs=two_outputs)

saved = folder / "saved"
model.export(saved, verbose=False)
archive = pathlib.Path(shutil.make_archive(str(folder / "archive"), "zip", saved)).read_bytes()
ask("fcn-saved", "TF", archive, [images], digits, inputs=["input"], outputs=["output_0"])

lite = tf.lite.TFLiteConverter.from_keras_model(model).convert()
one = {"digits": model(images[:1]).numpy()}
ask("fcn-lite", "TFLITE", lite, [images[:1]], one)
# The model was converted for another number of rows.
answers.ask("fcn-lite-rows", [images], digits, lambda keys, out: client.run_model("fcn-lite", inputs=keys, outputs=out))

client.put_tensor("rows", images[0])
refusals = {
    "unknown node": refusal(lambda: client.set_model("no", graph, "TF", "CPU", inputs=["nobody"], outputs=outputs)),
    "truncated graph": refusal(lambda: client.set_model("no", graph[:5000], "TF", "CPU", inputs=inputs, outputs=outputs)),
    "truncated archive": refusal(
        lambda: client.set_model("no", archive[:5000], "TF", "CPU", inputs=["input"], outputs=["output_0"])
    ),
    "truncated flat buffer": refusal(lambda: client.set_model("no", lite[:5000], "TFLITE", "CPU")),
    "shape": refusal(lambda: client.run_model("fcn", inputs=["rows"], outputs=["y"])),
    "lite shape": refusal(lambda: client.run_model("fcn-lite", inputs=["rows"], outputs=["y"])),
}
answers.print(refusals=refusals, names={"fcn": [inputs, outputs]})
