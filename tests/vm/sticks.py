"""Images of sticks: one partition, formatted by the programs that people use."""

import struct
import subprocess

MIB = 1024 * 1024
# where partitions begin since sticks are larger than floppy disks
FIRST_SECTOR = 2048
TYPES = {"vfat": 0x0C, "exfat": 0x07}


def make(path, mebibytes, filesystem, label):
    """A new stick of so many MiB."""
    sectors = mebibytes * MIB // 512
    table = bytearray(512)
    entry = (0, b"\xfe\xff\xff", TYPES[filesystem], b"\xfe\xff\xff", FIRST_SECTOR, sectors - FIRST_SECTOR)
    table[446:462] = struct.pack("<B3sB3sII", *entry)
    table[510:] = b"\x55\xaa"
    path.unlink(missing_ok=True)
    volume = path.with_suffix(".volume")
    with volume.open("wb") as file:
        file.truncate((sectors - FIRST_SECTOR) * 512)
    program = {
        "vfat": ["mkfs.vfat", "-F", "32", "-s", "1", "-n", label],
        "exfat": ["mkfs.exfat", "-L", label],
    }[filesystem]
    subprocess.run([*program, str(volume)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with path.open("wb") as file:
        file.write(table)
        file.truncate(mebibytes * MIB)
    seek = ["bs=1M", f"seek={FIRST_SECTOR * 512 // MIB}", "conv=notrunc,sparse", "status=none"]
    subprocess.run(["dd", f"if={volume}", f"of={path}", *seek], check=True)
    volume.unlink()
    return path


def pull_early(image, filesystem, forget=False):
    """Marks a stick as one that was never unmounted; `forget`: the table of what is taken (exFAT) never arrived."""
    data = bytearray(image.read_bytes())
    volume = FIRST_SECTOR * 512
    if filesystem == "vfat":
        data[volume + 65] |= 1
    else:
        # exFAT specification, 3.1 and 7.1: the bitmap is the first of the root's entries with type 0x81
        heap, _, root = struct.unpack_from("<3I", data, volume + 88)
        sector = 1 << data[volume + 108]
        cluster = sector << data[volume + 109]
        place = lambda number: volume + heap * sector + (number - 2) * cluster
        data[volume + 106] |= 2
        if forget:
            entries = (data[at : at + 32] for at in range(place(root), place(root) + cluster, 32))
            (first, length), = (struct.unpack_from("<IQ", entry, 20) for entry in entries if entry[0] == 0x81)
            # what is behind the root belongs to files and folders
            for number in range(root - 2 + 1, length * 8):
                data[place(first) + number // 8] &= ~(1 << number % 8) & 0xFF
    image.write_bytes(data)


def copy(image, to):
    """The same stick once more, holes and all."""
    subprocess.run(["cp", "--sparse=always", str(image), str(to)], check=True)
    return to
