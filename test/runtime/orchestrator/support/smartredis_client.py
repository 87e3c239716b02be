"""
Calls every public method of the unmodified smartredis package on a store. Arguments: an ONNX model that doubles [n, 2]
floats, the store's addresses, what clients take the store for, a name that no other process has, and `alone` if none runs
beside this one. Prints what was checked, and which methods were not called.
"""

import json
import sys
import tempfile

import numpy as np
import smartredis_every
from smartredis import Client, ConfigOptions, Dataset, LogContext
from smartredis.error import RedisReplyError
from smartredis.smartredisPy import SRLoggingLevel

model_file, address, kind, me, company = sys.argv[1:]
addresses = address.split(",")
done = []


def check(name, condition):
    if not condition:
        raise SystemExit(f"failed: {name}")
    done.append(name)


def refused(name, call, error=RedisReplyError):
    try:
        call()
    except error:
        done.append(name)
    else:
        raise SystemExit(f"no error: {name}")


def script_function(x):
    return x.max(1)[0]


def tensors(client):
    for dtype in [np.float32, np.float64, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16]:
        array = np.arange(24).reshape(2, 3, 4).astype(dtype)
        client.put_tensor("t", array)
        back = client.get_tensor("t")
        check(f"tensor {np.dtype(dtype).name}", back.dtype == array.dtype and np.array_equal(back, array))
    large = np.random.default_rng(1).random((1024, 1024, 4))
    client.put_tensor("large", large)
    check("32 MiB tensor", np.array_equal(client.get_tensor("large"), large))
    client.delete_tensor("large")
    client.copy_tensor("t", "copy")
    client.rename_tensor("copy", "renamed")
    check("copy and rename", client.tensor_exists("renamed") and not client.tensor_exists("copy"))
    client.rename_tensor("renamed", "renamed")
    client.delete_tensor("renamed")
    client.delete_tensor("renamed")
    check("delete", not client.key_exists(f"{me}.renamed") and client.key_exists(f"{me}.t"))
    check("poll", client.poll_tensor("t", 1, 2) and not client.poll_tensor("missing", 1, 2))
    check("poll of a key", client.poll_key(f"{me}.t", 1, 1) and not client.poll_key("t", 1, 1))
    refused("missing tensor", lambda: client.get_tensor("missing"))
    refused("copy of a missing tensor", lambda: client.copy_tensor("missing", "x"))
    refused("rename of a missing tensor", lambda: client.rename_tensor("missing", "x"))


def dataset_of(name):
    dataset = Dataset(name)
    dataset.add_tensor("field", np.arange(6.0).reshape(2, 3))
    dataset.add_tensor("index", np.arange(3, dtype=np.int32))
    dataset.add_meta_scalar("time", 2.5)
    dataset.add_meta_scalar("step", 7)
    dataset.add_meta_string("name", "cavity")
    return dataset


def datasets(client):
    dataset = dataset_of("d")
    client.put_dataset(dataset)
    back = client.get_dataset("d")
    check("dataset tensors", np.array_equal(back.get_tensor("field"), np.arange(6.0).reshape(2, 3)))
    check("dataset metadata", back.get_meta_scalars("time")[0] == 2.5 and back.get_meta_strings("name") == ["cavity"])
    check("dataset names", back.get_name() == "d" and sorted(back.get_tensor_names()) == ["field", "index"])
    check("dataset fields", sorted(back.get_metadata_field_names()) == ["name", "step", "time"])
    check("dataset types", back.get_tensor_type("index") is np.int32 and back.get_metadata_field_type("name") is str)
    check("dataset dimensions", list(back.get_tensor_dims("field")) == [2, 3])
    other = Dataset("other")
    other.set_data(back.get_data())
    check("dataset of another's data", other.get_name() == "d")
    check("dataset from its inner one", Dataset.from_pybind(back.get_data()).get_name() == "d")
    client.copy_dataset("d", "e")
    client.rename_dataset("e", "f")
    check("dataset copy and rename", client.dataset_exists("f") and not client.dataset_exists("e"))
    check("dataset poll", client.poll_dataset("f", 1, 2) and not client.poll_dataset("e", 1, 2))
    client.delete_dataset("f")
    check("dataset delete", not client.dataset_exists("f"))
    refused("missing dataset", lambda: client.get_dataset("missing"), Exception)


def lists(client):
    dataset = dataset_of("d")
    client.append_to_list("l", dataset)
    client.append_to_list("l", dataset)
    check("list length", client.get_list_length("l") == 2)
    check("list poll", client.poll_list_length("l", 2, 1, 1) and not client.poll_list_length("l", 3, 1, 1))
    check("list poll at least", client.poll_list_length_gte("l", 1, 1, 1) and not client.poll_list_length_gte("l", 3, 1, 1))
    check("list poll at most", client.poll_list_length_lte("l", 2, 1, 1) and not client.poll_list_length_lte("l", 1, 1, 1))
    check("list datasets", [each.get_meta_scalars("step")[0] for each in client.get_datasets_from_list("l")] == [7, 7])
    check("list range", len(client.get_dataset_list_range("l", 0, 0)) == 1)
    client.copy_list("l", "m")
    client.rename_list("m", "n")
    check("list copy and rename", client.get_list_length("n") == 2 and client.get_list_length("m") == 0)
    client.delete_list("n")
    client.delete_list("l")
    check("list delete", client.get_list_length("n") == 0)


def models(client):
    with open(model_file, "rb") as file:
        model = file.read()
    doubler = f"{me}-doubler"
    client.set_model(doubler, model, "ONNX", "CPU", batch_size=2, min_batch_size=1, tag="v1")
    client.set_model_from_file(f"{me}-file", model_file, "ONNX", "CPU")
    check("model exists", client.model_exists(doubler) and client.poll_model(f"{me}-file", 1, 1))
    check("model bytes", client.get_model(doubler) == model)
    client.put_tensor("x", np.array([[1, 2], [3, 4]], dtype=np.float32))
    client.run_model(doubler, inputs=["x"], outputs=["y"])
    twice = np.array([[2, 4], [6, 8]], dtype=np.float32)
    check("model run", np.array_equal(client.get_tensor("y"), twice))
    refused("missing model", lambda: client.run_model("missing", inputs=["x"], outputs=["y"]))
    refused("model that is none", lambda: client.set_model(f"{me}-bad", b"not a model", "ONNX", "CPU"))
    refused("wrong input", lambda: client.run_model(doubler, inputs=["t"], outputs=["y"]))
    refused("get of a missing model", lambda: client.get_model("missing"))
    # Each shard counts the runs of its own copy of the model.
    calls = lambda: sum(int(info["calls"]) for info in client.get_ai_info(addresses, doubler))
    check("model information", client.get_ai_info(addresses, doubler)[0]["backend"] == "ONNX" and calls() == 2)
    # The client cannot read RedisAI's answer to this, which comes after the reset.
    for one in addresses:
        refused("model information reset", lambda: client.get_ai_info([one], doubler, True), Exception)
    check("model information after it", calls() == 0)
    client.delete_model(doubler)
    check("model delete", not client.model_exists(doubler))
    for name, store in [
        (f"{me}-gpus", lambda name: client.set_model_multigpu(name, model, "ONNX", 0, 2)),
        (f"{me}-gpus-file", lambda name: client.set_model_from_file_multigpu(name, model_file, "ONNX", 0, 2)),
    ]:
        store(name)
        check(f"{name} stored", all(client.model_exists(f"{name}{gpu}") for gpu in ["", ".GPU:0", ".GPU:1"]))
        for offset in range(3):
            client.run_model_multigpu(name, offset, 0, 2, inputs=["x"], outputs=["y"])
            check(f"{name} run {offset}", np.array_equal(client.get_tensor("y"), twice))
            client.delete_tensor("y")
        client.delete_model_multigpu(name, 0, 2)
        check(f"{name} deleted", not any(client.model_exists(f"{name}{gpu}") for gpu in ["", ".GPU:0", ".GPU:1"]))


def scripts(client):
    source = "def f(x):\n    return x\n"
    with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
        file.write(source)
        file.flush()
        client.set_script_from_file(f"{me}-script-file", file.name, "CPU")
        client.set_script_from_file_multigpu(f"{me}-script-files", file.name, 0, 2)
    client.set_script(f"{me}-script", source, "CPU")
    client.set_script_multigpu(f"{me}-scripts", source, 0, 2)
    client.set_function(f"{me}-function", script_function)
    client.set_function_multigpu(f"{me}-functions", script_function, 0, 2)
    check("script source", client.get_script(f"{me}-script") == source == client.get_script(f"{me}-script-files.GPU:1"))
    check("function source", "max(1)[0]" in client.get_script(f"{me}-function"))
    check("script exists", client.model_exists(f"{me}-script") and client.poll_model(f"{me}-functions.GPU:0", 1, 1))
    numbers = np.array([1, 2, 3], dtype=np.float64)
    client.put_tensor("numbers", numbers)
    client.run_script(f"{me}-script", "f", ["numbers"], ["same"])
    client.run_script_multigpu(f"{me}-scripts", "f", ["numbers"], ["same too"], 1, 0, 2)
    check("script run", np.array_equal(client.get_tensor("same"), numbers))
    check("script run on a GPU", np.array_equal(client.get_tensor("same too"), numbers))
    refused("run of a missing function", lambda: client.run_script(f"{me}-script", "g", ["numbers"], ["same"]))
    for name in ["numbers", "same", "same too"]:
        client.delete_tensor(name)
    refused("missing script", lambda: client.get_script("missing"))
    refused("script as a tensor", lambda: client.copy_tensor(f"{me}-script", "x"))
    for name in ["script-file", "script", "function"]:
        client.delete_script(f"{me}-{name}")
    for name in ["script-files", "scripts", "functions"]:
        client.delete_script_multigpu(f"{me}-{name}", 0, 2)
    check("script delete", not client.model_exists(f"{me}-scripts.GPU:1"))


def prefixes(client):
    client.set_data_source(me)
    client.use_tensor_ensemble_prefix(False)
    client.put_tensor(f"{me}-plain", np.zeros(1))
    client.use_tensor_ensemble_prefix(True)
    check("tensor prefix", client.key_exists(f"{me}-plain") and not client.tensor_exists(f"{me}-plain"))
    client.use_dataset_ensemble_prefix(False)
    client.put_dataset(dataset_of(f"{me}-d"))
    client.use_dataset_ensemble_prefix(True)
    check("dataset prefix", client.key_exists(f"{{{me}-d}}.meta") and not client.dataset_exists(f"{me}-d"))
    client.use_list_ensemble_prefix(False)
    client.append_to_list(f"{me}-l", dataset_of("d"))
    client.use_list_ensemble_prefix(True)
    check("list prefix", client.key_exists(f"{me}-l") and client.get_list_length(f"{me}-l") == 0)
    client.use_model_ensemble_prefix(True)
    client.set_script("prefixed", "def f(x):\n    return x\n", "CPU")
    check("model prefix", client.model_exists("prefixed"))
    client.delete_script("prefixed")
    client.use_model_ensemble_prefix(False)
    refused("unknown source", lambda: client.set_data_source("nobody"), Exception)


def servers(client):
    first = addresses[0]
    infos = client.get_db_node_info(addresses)
    info = infos[0]
    check("node information of all", len(infos) == len(addresses))
    check("node information", "Server" in info and "ai_versions" in {name.lower() for name in info})
    client.config_set("lua-time-limit", "4000", first)
    check("configuration", client.config_get("lua-time-limit", first) == {"lua-time-limit": "4000"})
    check("unknown configuration", client.config_get("nonsense", first) == {})
    refused("unknown parameter", lambda: client.config_set("nonsense", "1", first))
    before = int(info["Persistence"]["rdb_last_save_time"])
    client.save(addresses)
    check("save", int(client.get_db_node_info([first])[0]["Persistence"]["rdb_last_save_time"]) >= before)
    client.set_model_chunk_size(1024 * 1024)
    if kind == "Clustered":
        check("cluster information", client.get_db_cluster_info([first])[0]["cluster_state"] == "ok")
    else:
        refused("cluster information", lambda: client.get_db_cluster_info([first]), Exception)
    if company == "alone":
        client.flush_db(addresses)
        check("flush", not client.key_exists(f"{me}.t"))


def settings():
    options = ConfigOptions.create_from_environment("")
    check("option", options.get_string_option("SSDB") == address and options.is_configured("SSDB"))
    options.override_integer_option("SR_CMD_TIMEOUT", 7)
    options.override_string_option("SR_DB_TYPE", kind)
    check("overridden", options.get_integer_option("SR_CMD_TIMEOUT") == 7)
    same = ConfigOptions.from_pybind(options.get_data())
    same.set_configoptions(options.get_data())
    check("options from inner ones", same.get_string_option("SR_DB_TYPE") == kind)
    return options


def logging(client):
    context = LogContext(me)
    context.set_context(context.get_context())
    # It asks its argument for a name that this does not have.
    refused("log context from its inner one", lambda: LogContext.from_pybind(context.get_context()), AttributeError)
    for each in [context, client, Dataset("logs")]:
        each.log_data(SRLoggingLevel.LLDebug, "data")
        each.log_warning(SRLoggingLevel.LLDebug, "warning")
        each.log_error(SRLoggingLevel.LLDebug, "error")
    done.append("logging")


client = Client(settings(), logger_name=me)
for part in [tensors, datasets, lists, models, scripts, prefixes, logging, servers]:
    part(client)
print(json.dumps({"done": done, "missing": smartredis_every.missing()}))
