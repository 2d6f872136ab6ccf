"""Runs the cases, two at a time, each with machines of its own, and says how many passed."""

import concurrent.futures
import os
import queue
import shutil
import sys
import time
import traceback

import cases
import machine
import stations
from bench import Bench
from depot import Depot
from guest import Failed

FIRMWARE_MEBIBYTES = 4
# cases at the same time
WORKERS = min(2, len(os.sched_getaffinity(0)))


def main(arguments):
    is_full = "--full" in arguments
    wanted = [argument for argument in arguments if argument != "--full"]
    work = machine.ROOT / "target/vm"
    kernel, programs = machine.build(work)
    depot = Depot(work / "depot", FIRMWARE_MEBIBYTES)
    carried = work / "carried"
    shutil.rmtree(carried, ignore_errors=True)
    carried.mkdir()
    depot.carry_into(carried)
    machine.archive(carried, work / "carried.cpio")
    initramfs = work / "both"
    initramfs.write_bytes(programs.read_bytes() + (work / "carried.cpio").read_bytes())
    names = [
        name for name in vars(cases) | vars(stations)
        if name.startswith("case_") and (not wanted or any(word in name for word in wanted))
    ]
    benches = queue.SimpleQueue()
    for number in range(WORKERS):
        folder = work / f"bench{number}"
        folder.mkdir(exist_ok=True)
        benches.put(Bench(folder, work / "depot/laptop", kernel, initramfs, is_full))
    # an emulated machine keeps one processor busy, and mostly waits where a case has several
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as workers:
        passed = list(workers.map(lambda name: is_good(name, benches), names))
    for _ in range(WORKERS):
        benches.get().close()
    failed = passed.count(False)
    print(f"{len(passed) - failed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def is_good(name, benches):
    """Runs a case at a bench that is free, and tells how it went."""
    case = getattr(cases, name, None) or getattr(stations, name)
    words, bench, began = name.removeprefix("case_").replace("_", " "), benches.get(), time.monotonic()
    try:
        said = case(bench)
    except Exception as failure:
        why = str(failure) if isinstance(failure, Failed) else f"\n{traceback.format_exc()}"
        print(f"FAIL {words}: {why}", flush=True)
        # what it left behind is not for the others
        bench.close()
        return False
    finally:
        benches.put(bench)
    print(f"ok   {words} ({time.monotonic() - began:.0f} s)" + (f": {said}" if said else ""), flush=True)
    return True


sys.exit(main(sys.argv[1:]))
