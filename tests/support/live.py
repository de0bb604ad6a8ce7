"""`smidgen device` as a process, and clients that speak the device protocol to it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import smidgen

READY = b"m-ready\r\n"
SECONDS = 60.0
# Shells have what they start in the background ignore SIGINT, and so all that it starts.
SMIDGEN = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("smidgen", run_name="__main__", alter_sys=True)
"""
Ask = Callable[[str], str]


@contextmanager
def running(*arguments: object) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """`smidgen device` as a process of its own, and the places that it printed."""
    command = [sys.executable, "-c", SMIDGEN, "device", *map(str, arguments)]
    source = str(Path(smidgen.__file__).parents[1])
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": source},
    )  # fmt: skip
    assert process.stdout and process.stderr
    count = int(arguments[arguments.index("--count") + 1]) if "--count" in arguments else 1
    try:
        lines = [process.stdout.readline() for _ in range(count)]
        yield process, [line.strip().partition(": ")[2] for line in lines]
    finally:
        process.kill()
        process.communicate()


@contextmanager
def tcp_client(place: str) -> Iterator[Ask]:
    host, _, port = place.partition(":")
    with socket.create_connection((host, int(port)), SECONDS) as line:

        def ask(command: str) -> str:
            line.sendall(command.encode() + b"%")
            return until_ready(lambda: line.recv(4096))

        yield ask


def until_ready(receive: Callable[[], bytes]) -> str:
    said = b""
    while not said.endswith(READY):
        characters = receive()
        assert characters, f"the device hung up after {said!r}"
        said += characters
    return said.decode()
