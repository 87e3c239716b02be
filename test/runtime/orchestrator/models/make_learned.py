"""Makes the models that scikit-learn trains for these tests, and what it answers itself.

`pip install numpy==1.26.4 scikit-learn==1.5.2 skl2onnx==1.17.0 onnx==1.16.2 protobuf==4.25.8` and run in this folder.
"""

import json

import numpy as np
from skl2onnx import to_onnx
from sklearn.cluster import KMeans
from sklearn.ensemble import RandomForestRegressor

rng = np.random.default_rng(7)
answers = {}


def save(name, model, inputs, outputs):
    with open(f"{name}.onnx", "wb") as file:
        file.write(to_onnx(model, inputs[:1], target_opset=17).SerializeToString())
    answers[name] = {
        "shape": list(inputs.shape),
        "input": [float(value) for value in inputs.ravel()],
        "outputs": [[float(value) for value in np.asarray(output).ravel()] for output in outputs],
    }


points = rng.normal(size=(120, 2)).astype(np.float32) + rng.integers(0, 3, size=(120, 1)).astype(np.float32) * 6
means = KMeans(n_clusters=3, n_init=10, random_state=0).fit(points)
asked = points[:10]
save("kmeans", means, asked, [means.predict(asked), means.transform(asked)])

field = rng.uniform(-1, 1, size=(200, 4)).astype(np.float32)
target = np.sin(3 * field[:, 0]) + field[:, 1] * field[:, 2] + 0.1 * field[:, 3]
forest = RandomForestRegressor(n_estimators=12, max_depth=6, random_state=0).fit(field, target.astype(np.float64))
asked = field[:10]
save("random-forest", forest, asked, [forest.predict(asked)])

with open("learned.json", "w") as file:
    json.dump(answers, file)
