"""A small machine: Debian's kernel, udev and busybox, and our programs, in an initramfs.

Nothing is installed: packages are downloaded and unpacked below the working folder, and kept there.
"""

import lzma
import os
import shutil
import struct
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent

# in the order in which they need each other
MODULES = """virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk
virtio_console failover net_failover virtio_net usb-common usbcore xhci-hcd xhci-pci scsi_common scsi_mod usb-storage crct10dif_common crc64
crct10dif_generic crc-t10dif crc64-rocksoft t10-pi sd_mod fat vfat exfat nls_cp437 nls_ascii nls_utf8
crc16 crc32c_generic mbcache jbd2 ext4""".split()

UDEV_RULES = ["50-udev-default", "60-block", "60-persistent-storage", "80-udisks2"]

# what mounts sticks on a desktop, with what it loads when it is asked
UDISKS = ["udisks2", "dbus-daemon", "libblockdev-fs2", "libblockdev-part2", "libblockdev-loop2", "libblockdev-swap2"]
BUS = """<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*" eavesdrop="true"/>
<allow eavesdrop="true"/></policy></busconfig>
"""


def run(*command, **options):
    return subprocess.run([str(part) for part in command], check=True, text=True, **options)


def output(*command, **options):
    return run(*command, stdout=subprocess.PIPE, **options).stdout


def unpacked(work):
    """Debian's kernel, udev, busybox and udisks2, unpacked."""
    depends = output("apt-cache", "depends", "linux-image-amd64")
    kernel = next(line.split()[-1] for line in depends.splitlines() if "Depends: linux-image-" in line)
    folder = work / kernel
    wanted = [kernel, "udev", "libkmod2", "busybox-static", *with_libraries(UDISKS)]
    complete = folder / "complete"
    if complete.exists() and complete.read_text().split() == wanted:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    debs = folder / "debs"
    debs.mkdir(parents=True)
    # apt's own sandbox user may not write there, and says so
    run("apt-get", "download", "-qq", *wanted, cwd=debs, stderr=subprocess.DEVNULL)
    for deb in debs.glob("*.deb"):
        run("dpkg-deb", "--extract", deb, folder)
    shutil.rmtree(debs)
    complete.write_text("\n".join(wanted))
    return folder


def with_libraries(packages):
    """Packages and the libraries that they need, and those need."""
    needed, new = set(), set(packages)
    while new:
        needed |= new
        # all of them at once: each call reads apt's whole catalogue
        listed = output("apt-cache", "depends", "--important", *sorted(new)).splitlines()
        depends = {line.split()[-1] for line in listed if line.strip().startswith("Depends: ")}
        new = {name for name in depends if name.startswith("lib") and name != "libc6"} - needed
    return sorted(needed)


def kernel_image(packages, to):
    """The kernel as it is inside its image: booting that saves unpacking it in a slow machine."""
    (image,) = (packages / "boot").glob("vmlinuz-*")
    data = image.read_bytes()
    # Documentation/arch/x86/boot.rst: setup_sects, payload_offset, payload_length
    setup = data[0x1F1] or 4
    offset, length = struct.unpack_from("<II", data, 0x248)
    begin = (setup + 1) * 512 + offset
    to.write_bytes(lzma.LZMADecompressor().decompress(data[begin : begin + length]))


class Root:
    """The tree of the initramfs."""

    def __init__(self, folder, packages):
        shutil.rmtree(folder, ignore_errors=True)
        self.folder, self.packages = folder, packages
        for name in "bin etc proc sys dev run tmp mnt lib/modules lib/udev/rules.d lib64 usr/lib lib/systemd".split():
            (folder / name).mkdir(parents=True)

    def program(self, path, name):
        """A program with the libraries that it needs, without what only a debugger reads."""
        run("strip", "-o", self.folder / "bin" / name, path)
        self.libraries_of(path)

    def libraries_of(self, path):
        library = self.packages / "lib/x86_64-linux-gnu"
        usr = self.packages / "usr/lib/x86_64-linux-gnu"
        environment = {**os.environ, "LD_LIBRARY_PATH": f"{library}:{usr}"}
        listed = subprocess.run(["ldd", str(path)], stdout=subprocess.PIPE, text=True, env=environment, check=False)
        for word in listed.stdout.split():
            if word.startswith("/") and ".so" in word:
                place = "lib64" if word.startswith("/lib64/") else "lib/x86_64-linux-gnu"
                (self.folder / place).mkdir(parents=True, exist_ok=True)
                shutil.copy(word, self.folder / place)

    def fill(self):
        busybox = self.folder / "bin/busybox"
        shutil.copy(self.packages / "bin/busybox", busybox)
        for applet in output(busybox, "--list").split():
            if applet != "busybox":
                (self.folder / "bin" / applet).symlink_to("busybox")
        order = []
        for module in MODULES:
            (found,) = self.packages.rglob(f"{module}.ko")
            shutil.copy(found, self.folder / "lib/modules")
            order.append(f"/lib/modules/{module}.ko\n")
        (self.folder / "modules.order").write_text("".join(order))
        for checker in ("fsck.fat", "fsck.exfat"):
            self.program(shutil.which(checker), checker)
        self.program(self.packages / "bin/udevadm", "udevadm")
        (self.folder / "lib/systemd/systemd-udevd").symlink_to("/bin/udevadm")
        for rules in UDEV_RULES:
            shutil.copy(self.packages / f"lib/udev/rules.d/{rules}.rules", self.folder / "lib/udev/rules.d")
        self.udisks()
        (self.folder / "usr/lib/udev").symlink_to("/lib/udev")
        (self.folder / "bin/fsck.vfat").symlink_to("fsck.fat")
        (self.folder / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\n")
        (self.folder / "etc/group").write_text("root:x:0:\ndisk:x:6:\ntty:x:5:\n")
        shutil.copy(HERE / "init", self.folder / "init")
        (self.folder / "init").chmod(0o755)


    def udisks(self):
        """udisks2 and a message bus; they run where a case starts them."""
        self.program(self.packages / "usr/libexec/udisks2/udisksd", "udisksd")
        self.program(self.packages / "usr/bin/dbus-daemon", "dbus-daemon")
        library = self.folder / "lib/x86_64-linux-gnu"
        for plugin in (self.packages / "usr/lib/x86_64-linux-gnu").glob("libbd_*.so.2"):
            shutil.copy(plugin, library)
            self.libraries_of(plugin)
        shutil.copytree(self.packages / "etc/libblockdev", self.folder / "etc/libblockdev")
        (self.folder / "etc/bus.conf").write_text(BUS)


def archive(folder, to):
    """A folder as an initramfs; a kernel takes several, one after the other."""
    names = "".join(f"{path.relative_to(folder)}\n" for path in sorted(folder.rglob("*")))
    with to.open("wb") as file:
        subprocess.run(
            ["cpio", "--create", "--format=newc", "--quiet", "--owner=+0:+0"],
            cwd=folder, input=names.encode(), stdout=file, check=True,
        )


def build(work):
    """Kernel and initramfs, with the programs as they are built now."""
    work.mkdir(parents=True, exist_ok=True)
    packages = unpacked(work)
    kernel, initramfs = work / "vmlinux", work / "initramfs"
    if not kernel.exists():
        kernel_image(packages, kernel)
    root = Root(work / "root", packages)
    root.fill()
    for name in ["fetcher", "applier", "nvr-sim"]:
        root.program(ROOT / "target/debug" / name, name)
    archive(root.folder, initramfs)
    return kernel, initramfs
