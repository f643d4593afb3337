# SPDX-License-Identifier: MIT
"""A peer's worker in CPython (struct bench_peer in src/bench/bench.h): subprocess, threading.

    python3 worker.py WAY WORKLOAD X
"""
import mmap
import os
import resource
import subprocess
import sys
import threading
import time

ENVIRONMENT = {"PATH": "/usr/bin:/bin"}
MOST_OPERATIONS = 100000
MOST_TASKS = 100000
PAGE = 4096

# What Popen is told. user= takes it from vfork to fork; close_fds=False lets it call posix_spawn.
WAYS = {
    "default": {},
    "user": {"user": os.getuid()},
    "posix_spawn": {"close_fds": False},
    "thread": None,
}


def cannot(reason):
    print("cannot:", reason)
    sys.exit(0)


# Scenes: each returns what must live as long as the worker.


def touch_heap(x):
    heap = bytearray(x)
    heap[::PAGE] = b"\1" * len(range(0, x, PAGE))
    return heap


def open_descriptors(x):
    """0 to x - 1 are open then."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    fd = 2
    while fd < x - 1:
        fd = os.open("/dev/null", os.O_RDWR)


def make_mappings(x):
    """Each a touched page. Neighbours differ in protection, or they would be one mapping."""
    both = mmap.PROT_READ | mmap.PROT_WRITE
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    pages = []
    for i in range(x):
        prot = both | mmap.PROT_EXEC if i % 2 else both
        pages.append(mmap.mmap(-1, PAGE, flags=flags, prot=prot))
        pages[-1][0] = 1
    return pages


def nothing(_x):
    return None


SCENES = {  # workload: its scene, whether it is of threads, whether x is the number of tasks
    "launch": (touch_heap, False, False),
    "fds": (open_descriptors, False, False),
    "maps": (make_mappings, False, False),
    "burst": (nothing, False, True),
    "blocked": (touch_heap, False, False),
    "thread": (nothing, True, True),
}


class Programs:
    def __init__(self, options):
        self.argv = {"args": ["true"], "executable": os.environ["RAMET_BENCH_PROGRAM"]}
        self.options = dict(options, env=ENVIRONMENT, **self.argv)

    def start(self):
        return subprocess.Popen(**self.options)

    def finish(self, process):
        if process.wait() != 0:
            sys.exit(f"worker: {self.options['executable']}: ended with {process.returncode}")


class Threads:
    def start(self):
        thread = threading.Thread(target=int)
        thread.start()
        return thread

    def finish(self, thread):
        thread.join()


def operate(tasks, count, only_start):
    """Nanoseconds, of a task where there are several."""
    begun = time.monotonic_ns()
    running = [tasks.start() for _ in range(count)]
    started = time.monotonic_ns()
    for task in running:
        tasks.finish(task)
    ended = started if only_start else time.monotonic_ns()
    return (ended - begun) // count


def serve(tasks, count, only_start):
    print("ready", flush=True)
    for line in sys.stdin:
        wanted = line.strip()
        if not wanted.isdecimal() or not 0 < int(wanted) <= MOST_OPERATIONS:
            sys.exit("worker: wanted is a number of operations")
        print(*(operate(tasks, count, only_start) for _ in range(int(wanted))), flush=True)


def main(argv):
    if len(argv) != 4 or argv[1] not in WAYS or not argv[3].isdecimal():
        print(f"usage: {argv[0]} {'|'.join(WAYS)} WORKLOAD X", file=sys.stderr)
        return 2
    way, workload, x = argv[1], argv[2], int(argv[3])
    if "RAMET_BENCH_PROGRAM" not in os.environ:
        sys.exit("worker: RAMET_BENCH_PROGRAM is not set")
    options = WAYS[way]
    scene, of_threads, several = SCENES.get(workload, (None, None, False))
    if not scene or of_threads != (options is None):
        cannot("this worker has no such workload")
    if several and not 0 < x <= MOST_TASKS:
        cannot("so many tasks at a time are not for this worker")
    try:
        kept = scene(x)
    except (MemoryError, OverflowError, OSError) as error:
        cannot(f"the scene cannot be set: {error}")
    serve(Threads() if of_threads else Programs(options), x if several else 1,
          workload == "blocked")
    del kept
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv))
    except OSError as problem:
        sys.exit(f"worker: {problem}")
