"""Datasets of Keras, and models as the store's TensorFlow runs them."""

import os

import numpy as np
import pytest
from batches import batch_of, rows_of

from simwright.ml import DataInfo, TrainingUploader

tf = pytest.importorskip("tensorflow")

import keras  # noqa: E402
from smartredis import Client  # noqa: E402

from simwright.ml.tf import DynamicDataGenerator, StaticDataGenerator, freeze_model, serialize_model  # noqa: E402


def put(count, first=0, **options):
    uploader = TrainingUploader(**options)
    for number in range(first, first + count):
        uploader.put_batch(*batch_of(number))
    return uploader


def test_batches_by_number_with_classes_as_vectors(producer):
    put(4)
    dataset = DynamicDataGenerator(DataInfo("training_data", num_classes=5), batch_size=4, workers=1)
    assert isinstance(dataset, keras.utils.PyDataset) and len(dataset) == 4
    samples, vectors = dataset[0]
    assert np.array_equal(vectors, keras.utils.to_categorical(samples[:, 0] % 5, 5))
    plain = DynamicDataGenerator(DataInfo("training_data", num_classes=5), batch_size=4, one_hot=False)
    assert rows_of(plain[number] for number in range(4)) == list(range(16))
    assert DynamicDataGenerator(DataInfo("training_data", target_name=""), batch_size=4)[0].shape == (4, 3)
    same = DynamicDataGenerator(DataInfo("training_data", target_name="samples"), batch_size=4)[0]
    assert same[0] is same[1]
    with pytest.raises(IndexError):
        plain[4]


class Sizes(keras.callbacks.Callback):
    """Samples that an epoch had, and what happens after it."""

    def __init__(self, after):
        super().__init__()
        self.found = []
        self._after = after

    def on_epoch_begin(self, epoch, logs=None):
        self.found.append(0)

    def on_train_batch_end(self, batch, logs=None):
        self.found[-1] += 1

    def on_epoch_end(self, epoch, logs=None):
        self._after(epoch)


def small_model():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5, activation="softmax")])
    model.compile(optimizer="sgd", loss="categorical_crossentropy")
    return model


def grow_after(uploader, last):
    def after(epoch):
        if epoch == last:
            uploader.put_batch(*batch_of(3))
            uploader.put_batch(*batch_of(4))
            uploader.end()

    return after


def test_fit_sees_what_has_come_and_ends_with_the_stream(producer):
    dataset_info = DataInfo("training_data", num_classes=5)
    sizes = Sizes(grow_after(put(3), 1))
    dataset = DynamicDataGenerator(dataset_info, batch_size=4)
    history = dataset.fit(small_model(), after_end=2, verbose=0, callbacks=[sizes])
    assert sizes.found == [3, 3, 5, 5]
    assert history.epoch == [0, 1, 2, 3] and len(history.history["loss"]) == 4
    assert len(dataset.fit(small_model(), epochs=1, after_end=9, verbose=0).epoch) == 1


def test_kerass_own_fit_ends_with_the_stream(producer):
    sizes = Sizes(grow_after(put(3), 1))
    dataset = DynamicDataGenerator(DataInfo("training_data", num_classes=5), batch_size=4)
    small_model().fit(dataset, epochs=50, verbose=0, callbacks=[sizes, dataset.stop_at_end(after_end=2)])
    # The end is seen as the third epoch begins, and the two after it are drawn from all samples.
    assert len(sizes.found) == 5 and dataset.num_samples == 20


def test_static_data_stay_as_they_are(producer):
    uploader = put(3)
    dataset = StaticDataGenerator(DataInfo("training_data", num_classes=5), batch_size=4)
    sizes = Sizes(lambda epoch: uploader.put_batch(*batch_of(3 + epoch)))
    small_model().fit(dataset, epochs=3, verbose=0, callbacks=[sizes])
    assert sizes.found == [3, 3, 3]
    with pytest.raises(ValueError, match="dynamic=False always"):
        StaticDataGenerator("training_data", dynamic=True)


def two_inputs():
    """A model of two inputs of different shapes and two outputs."""
    field, point = keras.Input((4,), name="field"), keras.Input((2,), name="point")
    joined = keras.layers.Concatenate()([field, point])
    outputs = [keras.layers.Dense(3, name="profile")(joined), keras.layers.Dense(1, name="drag")(joined)]
    return keras.Model([field, point], outputs)


def named_inputs():
    field, point = keras.Input((4,), name="field"), keras.Input((2,), name="point")
    joined = keras.layers.Concatenate()([field, point])
    return keras.Model({"point": point, "field": field}, keras.layers.Dense(3)(joined))


class Function(tf.Module):
    def __init__(self):
        super().__init__()
        self.weight = tf.Variable([[2.0], [3.0]])

    @tf.function(input_signature=[tf.TensorSpec([None, 2]), tf.TensorSpec([None, 1])])
    def run(self, x, y):
        return tf.matmul(x, self.weight) + y


function = Function()

CASES = {
    "one input": (small_model, lambda model, x: model(x[0]), [(3,)]),
    "two inputs": (two_inputs, lambda model, x: model(x), [(4,), (2,)]),
    "named inputs": (named_inputs, lambda model, x: model({"field": x[1], "point": x[0]}), [(2,), (4,)]),
    "function": (lambda: function.run, lambda model, x: model(*x), [(2,), (1,)]),
}


@pytest.mark.parametrize("name", CASES)
def test_the_store_runs_a_model_with_all_its_inputs(producer, tmp_path, name):
    make, call, shapes = CASES[name]
    keras.utils.set_random_seed(3)
    model = make()
    random = np.random.default_rng(1)
    values = [random.random((5, *shape), np.float32) for shape in shapes]
    client = Client(None)
    names = ["{}.{}".format(producer, number) for number in range(len(values))]
    if name == "named inputs":
        # Their order is TensorFlow's: of dictionaries, that of the keys.
        values = [values[1], values[0]]
        wanted = model({"field": values[0], "point": values[1]})
    else:
        wanted = call(model, values)
    wanted = [np.asarray(one) for one in (wanted if isinstance(wanted, (list, tuple)) else [wanted])]
    for key, value in zip(names, values):
        client.put_tensor(key, value)

    blob, inputs, outputs = serialize_model(model)
    path, file_inputs, file_outputs = freeze_model(model, str(tmp_path / "new"), "model")
    assert (file_inputs, file_outputs) == (inputs, outputs) and path == str(tmp_path / "new/model.pb")
    assert len(inputs) == len(values) and len(outputs) == len(wanted) and not any(":" in one for one in inputs + outputs)
    client.set_model(producer, blob, "TF", "CPU", inputs=inputs, outputs=outputs)
    client.set_model_from_file(producer + "file", path, "TF", "CPU", inputs=inputs, outputs=outputs)
    for key in (producer, producer + "file"):
        results = ["{}.out{}".format(key, number) for number in range(len(outputs))]
        client.run_model(key, names, results)
        for result, value in zip(results, wanted):
            np.testing.assert_allclose(client.get_tensor(result), value, rtol=1e-5, atol=1e-6)
    assert os.listdir(tmp_path / "new") == ["model.pb"]


def test_a_model_whose_inputs_nobody_knows(tmp_path):
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.layer = keras.layers.Dense(2)

        def call(self, x):
            return self.layer(x)

    with pytest.raises(ValueError, match="say its signature"):
        serialize_model(Own())
    _, inputs, outputs = serialize_model(Own(), [tf.TensorSpec([None, 3])])
    assert len(inputs) == len(outputs) == 1
