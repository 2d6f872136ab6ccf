"""Runs the cases, each by itself, and says how many passed."""

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
    bench = Bench(work, kernel, initramfs, is_full)
    passed, failed = 0, 0
    for name, case in (vars(cases) | vars(stations)).items():
        if not name.startswith("case_") or (wanted and not any(word in name for word in wanted)):
            continue
        words, began = name.removeprefix("case_").replace("_", " "), time.monotonic()
        try:
            said = case(bench)
        except Failed as failure:
            failed += 1
            print(f"FAIL {words}: {failure}", flush=True)
            # what it left behind is not for the others
            bench.close()
        except Exception:
            failed += 1
            print(f"FAIL {words}:\n{traceback.format_exc()}", flush=True)
            bench.close()
        else:
            passed += 1
            print(f"ok   {words} ({time.monotonic() - began:.0f} s)" + (f": {said}" if said else ""), flush=True)
    bench.close()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


sys.exit(main(sys.argv[1:]))
