"""Uses a store through redis-py with its defaults. Arguments: major version of redis-py, port, socket, model that takes long."""

import asyncio
import sys
import threading

import redis

major, port, socket, model = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
assert redis.__version__.split(".")[0] == major, redis.__version__


def refused(call, text, error=redis.ResponseError):
    try:
        call()
    except error as problem:
        assert text in str(problem), problem
    else:
        raise SystemExit(f"no error: {text}")


def use(r, text):
    assert r.ping() is True
    r.flushall()
    assert r.set("key", "value", ex=100) and r.get("key") == text("value") and 90 < r.ttl("key") <= 100
    assert r.hset("hash", mapping={"a": "1", "b": "2"}) == 2
    assert r.hgetall("hash") == {text("a"): text("1"), text("b"): text("2")}
    assert r.hincrby("hash", "a", 5) == 6 and dict(r.hscan_iter("hash")) == {text("a"): text("6"), text("b"): text("2")}
    assert r.rpush("list", "x", "y", "z") == 3 and r.lrange("list", 0, -1) == [text(each) for each in "xyz"]
    assert r.lpos("list", "y") == 1 and r.lmove("list", "other", "LEFT", "RIGHT") == text("x")
    assert sorted(r.scan_iter()) == sorted(text(each) for each in ("key", "hash", "list", "other"))
    assert r.get("missing") is None and r.lpop("missing") is None and r.type("hash") == text("hash")
    assert r.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    assert r.info("server")["redis_version"] == "7.0.15" and r.info()["db0"]["keys"] == 4
    assert any(each["id"] == str(r.client_id()) for each in r.client_list())
    assert r.object("encoding", "list") == text("quicklist") and r.role()[0] in (b"master", "master")
    assert len(r.time()) == 2 and r.touch("key", "missing") == 1

    with r.pipeline() as pipe:
        assert pipe.set("n", 1).incr("n").hgetall("hash").execute()[:2] == [True, 2]
    with r.pipeline() as pipe:
        pipe.watch("n")
        r.set("n", 5)
        pipe.multi()
        pipe.set("n", 6)
        refused(pipe.execute, "", redis.WatchError)
    assert r.get("n") == text("5")

    push = threading.Timer(0.1, lambda: r.rpush("queue", "late"))
    push.start()
    assert [*r.blpop(["none", "queue"], timeout=20)] == [text("queue"), text("late")]
    assert r.blpop("queue", timeout=0.01) is None
    push.join()

    with r.monitor() as monitor:
        r.set("seen", "x")
        assert any(monitor.next_command()["command"] == "SET seen x" for _each in range(3))


def run_models(r):
    assert r.execute_command("AI.TENSORSET", "x", "FLOAT", 256, 256) in ("OK", b"OK")
    assert r.execute_command("AI.TENSORSET", "rounds", "INT64", 1, "VALUES", 4000) in ("OK", b"OK")
    with open(model, "rb") as file:
        stored = r.execute_command("AI.MODELSTORE", "slow", "ONNX", "CPU", "BLOB", file.read())
    assert stored in ("OK", b"OK"), stored
    run = ["AI.MODELEXECUTE", "slow", "INPUTS", 2, "rounds", "x", "OUTPUTS", 1, "y"]
    ran = r.execute_command(*run)
    assert ran in ("OK", b"OK"), ran
    assert r.execute_command("AI.TENSORGET", "y", "META")[3] == [256, 256]
    r.execute_command("AI.TENSORSET", "few", "DOUBLE", 2, "VALUES", "1.5", "-2")
    assert [float(each) for each in r.execute_command("AI.TENSORGET", "few", "VALUES")] == [1.5, -2]
    with r.pipeline() as pipe:
        pipe.set("with", "it").execute_command(*run)
        refused(pipe.execute, "Cannot run RedisAI command within a transaction or a LUA script")
    assert r.get("with") in ("it", b"it")
    with r.pipeline() as pipe:
        pipe.execute_command("AI.TENSORSET", "t", "INT8", 1, "VALUES", 7).execute_command("AI.TENSORGET", "t", "VALUES")
        assert pipe.execute()[1] == [7]


async def use_asyncio():
    from redis import asyncio as redis_asyncio

    r = redis_asyncio.Redis(port=port)
    assert await r.ping() is True and await r.get("with") == b"it"
    await (r.aclose() if hasattr(r, "aclose") else r.close())


plain = redis.Redis(port=port)
use(plain, str.encode)
use(redis.Redis(unix_socket_path=socket, decode_responses=True), str)
if major != "4":
    for protocol in (2, 3):
        use(redis.Redis(port=port, protocol=protocol), str.encode)
run_models(plain)
asyncio.run(use_asyncio())
cluster = redis.RedisCluster(host="127.0.0.1", port=port)
assert cluster.set("in", "a cluster") and cluster.get("in") == b"a cluster" and cluster.keyslot("in") < 16384
assert cluster.cluster_keyslot("in") == cluster.keyslot("in")
cluster.close()
print("used")
