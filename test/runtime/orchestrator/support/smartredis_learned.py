"""The ONNX examples of SmartSim's documentation: scikit-learn trains models, skl2onnx converts them, smartredis stores and
runs them. Prints, by name, what scikit-learn answers and what the store has answered.
"""

import numpy as np
from answers import Answers
from skl2onnx import to_onnx
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split
from smartredis import Client

client = Client()
answers = Answers(client)


def run(name, model, inputs, wanted):
    client.set_model(name, to_onnx(model, inputs, target_opset=11).SerializeToString(), "ONNX", device="CPU")
    answers.ask_model(name, [inputs], wanted)


points = np.arange(20, dtype=np.float32).reshape(10, 2)
means = KMeans(n_clusters=2, n_init=10, random_state=0).fit(points)
run("kmeans", means, points, {"labels": means.predict(points), "transform": means.transform(points)})

field = np.array([[1, 1], [1, 2], [2, 2], [2, 3]], dtype=np.float32)
line = LinearRegression().fit(field, field @ np.array([1, 2], dtype=np.float32) + 3)
run("linear", line, field, {"values": line.predict(field)})

iris = load_iris()
learnt, asked, target, _ = train_test_split(iris.data.astype(np.float32), iris.target, random_state=13)
forest = RandomForestRegressor(random_state=0).fit(learnt, target)
run("forest", forest, asked, {"values": forest.predict(asked)})

answers.print()
