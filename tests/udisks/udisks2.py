"""A udisks2 for `python-dbusmock`, which has none of its own: one volume on one drive, which it says to mount at a
folder. Parameters: `folder`, and `fails`, what `Mount` or `Unmount` answers instead, by its name."""

import dbus
from dbusmock import mockobject

BUS_NAME = "org.freedesktop.UDisks2"
MAIN_OBJ = "/org/freedesktop/UDisks2/Manager"
MAIN_IFACE = "org.freedesktop.UDisks2.Manager"
SYSTEM_BUS = True

VOLUME = "/org/freedesktop/UDisks2/block_devices/sdy1"
DRIVE = "/org/freedesktop/UDisks2/drives/stick"


def load(mock, parameters):
    fails = parameters.get("fails", {})

    def code(method, otherwise):
        if method not in fails:
            return otherwise
        return f'raise dbus.exceptions.DBusException("no", name="org.freedesktop.UDisks2.Error.{fails[method]}")'

    mock.AddMethod(MAIN_IFACE, "ResolveDevice", "a{sv}a{sv}", "ao", f'ret = [dbus.ObjectPath("{VOLUME}")]')
    mock.AddObject(VOLUME, "org.freedesktop.UDisks2.Block", {"Drive": dbus.ObjectPath(DRIVE)}, [])
    volume = mockobject.objects[VOLUME]
    filesystem = "org.freedesktop.UDisks2.Filesystem"
    volume.AddMethod(filesystem, "Mount", "a{sv}", "s", code("Mount", f'ret = "{parameters["folder"]}"'))
    volume.AddMethod(filesystem, "Repair", "a{sv}", "b", code("Repair", "ret = True"))
    volume.AddMethod(filesystem, "Unmount", "a{sv}", "", code("Unmount", ""))
    mock.AddObject(DRIVE, "org.freedesktop.UDisks2.Drive", {}, [("PowerOff", "a{sv}", "", code("PowerOff", ""))])
