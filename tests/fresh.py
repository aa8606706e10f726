"""Code in fresh processes that need not load TensorFlow anew: one process loads it, and forks for each code."""

import json
import subprocess
import sys

_DRIVER = """
import json, os, sys, traceback
import pandas, scipy.sparse, tensorflow

for code in json.load(sys.stdin):
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(writing, 1)
        os.dup2(writing, 2)
        status = 0
        try:
            exec(code, {"__name__": "__main__"})
        except BaseException:
            traceback.print_exc()
            status = 1
        sys.stdout.flush()
        os._exit(status)
    os.close(writing)
    with open(reading, "rb") as pipe:
        said = pipe.read().decode()
    print(json.dumps([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said]), flush=True)
"""


def run_each(codes: list[str]) -> list[tuple[int, str]]:
    """The exit status of each code in a process of its own where Keras is not loaded, and all that it prints."""
    command = [sys.executable, "-c", _DRIVER]
    done = subprocess.run(command, input=json.dumps(codes), capture_output=True, text=True, check=True)
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]
