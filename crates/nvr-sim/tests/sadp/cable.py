"""Run in a network namespace of its own, with the path of nvr-sim.

Two recorders are here. A second namespace, at the other end of a virtual cable, asks for them with a plain
socket, as a tool of somebody else would. What it heard is printed as JSON: for each way of asking, the
addresses of those who answered.
"""

import json
import socket
import subprocess
import sys
import tempfile

GROUP, PORT = "239.255.255.250", 37020
HERE, THERE = ["192.168.77.64", "192.168.77.65"], "192.168.77.10"
PROBE = b"""<?xml version="1.0" encoding="utf-8"?><Probe><Uuid>13A888A9-F1B1-4020-AE9F-05607682D23B</Uuid><Types>inquiry</Types></Probe>"""


def ip(words):
    subprocess.run(["ip", *words.split()], check=True)


def recorders(program, answers):
    """The recorders, listening, and answering in this way."""
    started = []
    for address in HERE:
        scenario = tempfile.NamedTemporaryFile("w", suffix=".toml")
        scenario.write(
            f'listen = "{address}:80"\n[sadp]\ninterface = "cable"\nhello = true\nanswers = "{answers}"\n'
        )
        scenario.flush()
        process = subprocess.Popen(
            [program, "--scenario", scenario.name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        line = process.stdout.readline()
        assert line == f"listening on {address}:80\n", line + process.stderr.read()
    return started


def answers(listening, root, count):
    """The addresses in the next messages of this root, in order; fewer than wanted if they do not come."""
    found = set()
    try:
        while len(found) < count:
            text = listening.recv(4096).decode()
            if f"<{root}>" in text:
                found.add(text.split("<IPv4Address>")[1].split("<")[0])
    except TimeoutError:
        pass
    return sorted(found)


def far_end():
    """The other party. It speaks when it is told to, one word at a time."""
    ip("link set lo up")
    ip(f"addr add {THERE}/24 brd + dev far")
    ip("link set far up")
    # whoever asks the group hears it: SADP tools are all on the same port
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("", PORT))
    member = socket.inet_aton(GROUP) + socket.inet_aton(THERE)
    listening.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    listening.settimeout(20)
    asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(THERE))
    asking.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    asking.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"far")
    asking.settimeout(20)
    print("ready", flush=True)
    heard = {"hello": answers(listening, "Hello", 2)}
    for way, target, count in [
        ("group to group", GROUP, 2),
        ("broadcast to group", "255.255.255.255", 2),
        ("unicast to group", HERE[1], 1),
    ]:
        asking.sendto(PROBE, (target, PORT))
        heard[way] = answers(listening, "ProbeMatch", count)
    print("unicast", flush=True)
    sys.stdin.readline()
    asking.sendto(PROBE, (GROUP, PORT))
    heard["group to sender"] = answers(asking, "ProbeMatch", 2)
    print(json.dumps(heard), flush=True)


def near_end(program):
    ip("link set lo up")
    far = subprocess.Popen(
        ["unshare", "--net", sys.executable, "-B", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    # unshare becomes the script in the same process, so its first word comes from the new namespace
    assert far.stdout.readline() == "here\n"
    ip("link add cable type veth peer name far")
    ip(f"link set far netns {far.pid}")
    for address in HERE:
        ip(f"addr add {address}/24 brd + dev cable")
    ip("link set cable up")
    far.stdin.write("plugged in\n")
    far.stdin.flush()
    assert far.stdout.readline() == "ready\n"
    started = recorders(program, "group")
    try:
        assert far.stdout.readline() == "unicast\n"
        for process in started:
            process.kill()
            process.wait()
        started = recorders(program, "unicast")
        far.stdin.write("\n")
        far.stdin.flush()
        print(far.stdout.readline())
        assert far.wait() == 0
    finally:
        for process in [*started, far]:
            process.kill()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        near_end(sys.argv[1])
    else:
        print("here", flush=True)
        sys.stdin.readline()
        far_end()
