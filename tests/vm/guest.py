"""A machine that runs: commands go in over a line of its own, sticks and cables over QEMU's monitor (QMP)."""

import json
import re
import select
import socket
import subprocess
import time
from pathlib import Path

# several machines share two processors with whatever else runs there
BOOT_SECONDS = 300


class Failed(Exception):
    """Something that must hold does not."""


class Monitor:
    """QEMU's machine protocol: one command at a time; events are kept for whoever waits for them."""

    def __init__(self, path):
        self.stream = connected(path).makefile("rw")
        self.events = []
        self.stream.readline()
        self.do("qmp_capabilities")

    def do(self, command, **arguments):
        self.stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.stream.flush()
        while True:
            reply = json.loads(self.stream.readline())
            if "event" in reply:
                self.events.append(reply)
            elif "error" in reply:
                raise Failed(f"{command}: {reply['error']['desc']}")
            else:
                return reply["return"]

    def wait_for(self, event, device):
        while True:
            for n, known in enumerate(self.events):
                if known["event"] == event and known["data"].get("device") == device:
                    del self.events[n]
                    return
            line = json.loads(self.stream.readline())
            if "event" in line:
                self.events.append(line)


def connected(path):
    # QEMU makes the socket before it starts the machine, and a little after it was started itself
    for _ in range(200):
        line = socket.socket(socket.AF_UNIX)
        try:
            line.connect(str(path))
            return line
        except OSError:
            line.close()
            time.sleep(0.05)
    raise Failed(f"{path}: nobody listens")


class Ran:
    """What a command said and how it ended."""

    def __init__(self, command, code, said):
        self.command, self.code, self.said = command, code, said

    def ends(self, *codes):
        if self.code not in codes:
            raise Failed(f"`{self.command}` ended with {self.code}, not {codes}:\n{self.end()}")
        return self

    def says(self, *words):
        for word in words:
            if word not in self.said:
                raise Failed(f"`{self.command}` does not say {word!r}:\n{self.end()}")
        return self

    def end(self):
        """The last of what it said, for people."""
        return "\n".join(self.said.splitlines()[-12:])

    def json(self):
        """The document that it printed; notes for people may stand around it."""
        begin = self.said.index("{")
        return json.JSONDecoder().raw_decode(self.said[begin:])[0]

    def lines_of_json(self):
        return [json.loads(line) for line in self.said.splitlines() if line.startswith("{")]


class Guest:
    """One machine."""

    def __init__(self, work, kernel, initramfs, *, memory=768, disk=None, cable=None, no_udev=False):
        work.mkdir(parents=True, exist_ok=True)
        self.work, self.plugged, self.count = work, {}, 0
        monitor, line = work / "monitor", work / "line"
        for path in (monitor, line):
            path.unlink(missing_ok=True)
        kernel_line = "console=ttyS0 quiet panic=-1 nokaslr mitigations=off" + (" no-udev" if no_udev else "")
        command = [
            "qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-machine", "pc", "-m", str(memory),
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-kernel", str(kernel), "-initrd", str(initramfs), "-append", kernel_line,
            "-serial", f"file:{work / 'console'}",
            "-device", "virtio-serial-pci", "-chardev", f"socket,id=line,path={line},server=on,wait=off",
            "-device", "virtserialport,chardev=line",
            "-qmp", f"unix:{monitor},server=on,wait=off",
            "-device", "qemu-xhci,id=xhci,p2=8,p3=8",
        ]
        if disk:
            command += ["-drive", f"file={disk},format=raw,if=virtio"]
        if cable:
            command += ["-netdev", f"{cable},id=cable", "-device", "virtio-net-pci,netdev=cable,id=card,romfile="]
        self.qemu = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=(work / "qemu").open("wb"))
        try:
            self.line = connected(line)
            self.monitor = Monitor(monitor)
            self.buffer = b""
            self._until(rb"@READY\n", BOOT_SECONDS)
        except BaseException:
            self.close()
            raise

    def _until(self, pattern, seconds):
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, self.buffer)):
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.line], [], [], left)[0]:
                raise Failed(f"no {pattern!r} within {seconds} s; console:\n{self.console()}")
            data = self.line.recv(65536)
            if not data:
                raise Failed(f"the machine ended; console:\n{self.console()}")
            self.buffer += data
        before, self.buffer = self.buffer[: found.start()], self.buffer[found.end() :]
        return before, found

    def console(self):
        return (self.work / "console").read_text(errors="replace")[-3000:]

    def run(self, command, seconds=300):
        """Runs a line of shell to its end."""
        assert "\n" not in command
        self.line.sendall(command.encode() + b"\n")
        said, found = self._until(rb"\n@(\d+)\n", seconds)
        return Ran(command, int(found[1]), said.decode(errors="replace"))

    def start(self, command):
        """Runs a line of shell beside the others; its end is asked for with `ended`."""
        self.count += 1
        job = f"/run/job{self.count}"
        # a subshell of its own, which the line does not wait for
        self.run(f"( ({command}) >{job} 2>&1; echo $? >{job}.code ) >/dev/null 2>&1 &").ends(0)
        return job

    def ended(self, job, seconds=300):
        wait = f"n=0; while ! [ -s {job}.code ] && [ $n -lt {seconds * 10} ]; do usleep 100000; n=$((n+1)); done"
        ran = self.run(f"{wait}; cat {job}; exit $(cat {job}.code 2>/dev/null || echo 255)", seconds + 10)
        return Ran(job, ran.code, ran.said)

    def put(self, path, text):
        quoted = text.replace("'", "'\\''").replace("\n", "\\n")
        self.run(f"printf '%b' '{quoted}' >{path}").ends(0)

    def plug(self, image, serial, *, read_only=False, bytes_per_second=None, bad_sector=None):
        """Plugs a stick in; the name to pull it by."""
        self.count += 1
        name = f"stick{self.count}"
        file = {"driver": "file", "filename": str(image), "read-only": read_only}
        if bad_sector is not None:
            error = {"event": "none", "iotype": "write", "sector": bad_sector, "errno": 5, "once": False}
            file = {"driver": "blkdebug", "image": file, "inject-error": [error]}
        node = {"driver": "raw", "node-name": name, "file": file, "read-only": read_only}
        if bytes_per_second:
            limits = {"bps-total": bytes_per_second}
            self.monitor.do("object-add", **{"qom-type": "throttle-group", "id": f"{name}-speed", "limits": limits})
            inner = {**node, "node-name": f"{name}-file"}
            self.monitor.do("blockdev-add", **inner)
            node = {"driver": "throttle", "node-name": name, "throttle-group": f"{name}-speed", "file": f"{name}-file"}
        self.monitor.do("blockdev-add", **node)
        self.monitor.do(
            "device_add", driver="usb-storage", bus="xhci.0", id=name, drive=name, serial=serial, removable=True)
        self.plugged[name] = bool(bytes_per_second)
        return name

    def pull(self, name):
        """Pulls a stick out, whatever is going on."""
        self.monitor.do("device_del", id=name)
        self.monitor.wait_for("DEVICE_DELETED", name)
        self.monitor.do("blockdev-del", **{"node-name": name})
        if self.plugged.pop(name):
            self.monitor.do("blockdev-del", **{"node-name": f"{name}-file"})

    def transferred(self, name):
        """Bytes written to a stick and read from it so far."""
        for device in self.monitor.do("query-blockstats"):
            if name in device.get("qdev", "").split("/"):
                return device["stats"]["wr_bytes"], device["stats"]["rd_bytes"]
        raise Failed(f"{name} is not plugged in")

    def set_cable(self, is_up):
        self.monitor.do("set_link", name="card", up=is_up)

    def close(self):
        self.qemu.kill()
        self.qemu.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def socket_cable(path, is_server):
    """Two machines on one cable."""
    Path(path).unlink(missing_ok=True) if is_server else None
    return f"stream,server={'on' if is_server else 'off'},addr.type=unix,addr.path={path}"
