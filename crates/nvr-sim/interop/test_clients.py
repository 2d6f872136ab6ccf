"""hikvisionapi and pyHik, clients that drive real devices, against the simulated recorder."""

import logging
import os
import subprocess
import tempfile
import unittest

import requests
from hikvisionapi import Client
from pyhik.hikvision import HikCamera
from pyhik.isapi import ISAPIAuthError, ISAPIClient
from recorder import PASSWORD, Recorder

logging.disable(logging.CRITICAL)
# a proxy of the machine is no way to a recorder
os.environ["NO_PROXY"] = "*"


class Hikvisionapi(unittest.TestCase):
    def test_reads_what_the_recorder_tells(self):
        with Recorder() as recorder:
            client = Client(recorder.url, "admin", PASSWORD)
            info = client.System.deviceInfo(method="get")["DeviceInfo"]
            self.assertEqual(info["serialNumber"], recorder.serial)
            self.assertEqual(info["firmwareVersion"], "V4.30.097")
            disks = client.ContentMgmt.Storage(method="get")["storage"]["hddList"]["hdd"]
            self.assertEqual([disk["status"] for disk in disks], ["ok", "notexist"])
            self.assertEqual(client.System.upgradeStatus(method="get")["upgradeStatus"]["upgrading"], "false")
            state = recorder.state()
            # it offers Basic first, which a recorder turns down without counting it as a wrong password
            self.assertEqual((state["basic"], state["wrong_logins"]), (1, 0))

    def test_one_camera_is_no_list_for_a_client_that_makes_maps(self):
        cameras = '[[content.cameras]]\nname = "garden"\n'
        for count, kind in ((1, dict), (2, list)):
            with Recorder(cameras * count) as recorder:
                client = Client(recorder.url, "admin", PASSWORD)
                channels = client.ContentMgmt.InputProxy.channels(method="get")["InputProxyChannelList"]
                self.assertIsInstance(channels["InputProxyChannel"], kind)

    def test_pushes_firmware_and_reboots(self):
        with Recorder() as recorder, tempfile.TemporaryDirectory() as directory:
            package = os.path.join(directory, "digicap.dav")
            make = [os.environ["NVR_SIM"], "firmware", "--size", "1MiB", "--out", package]
            subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
            client = Client(recorder.url, "admin", PASSWORD, timeout=30)
            with open(package, "rb") as body:
                taken = client.System.updateFirmware(method="put", data=body)
            self.assertEqual(taken["ResponseStatus"]["subStatusCode"], "rebootRequired")
            self.assertEqual(recorder.state()["last_package"]["size"], 1 << 20)
            rebooting = client.System.reboot(method="put")
            self.assertEqual(rebooting["ResponseStatus"]["statusCode"], "1")
            recorder.until_idle_again()
            info = Client(recorder.url, "admin", PASSWORD).System.deviceInfo(method="get")
            self.assertEqual(info["DeviceInfo"]["firmwareVersion"], "V4.61.025")

    def test_a_refusal_is_no_success_for_it(self):
        with Recorder('[faults]\nrefuse = "badDevType"') as recorder:
            client = Client(recorder.url, "admin", PASSWORD)
            with self.assertRaises(requests.HTTPError) as refused:
                client.System.updateFirmware(method="put", data=b"x" * 1000)
            self.assertEqual(refused.exception.response.status_code, 403)
            self.assertIn("<subStatusCode>badDevType<", refused.exception.response.text)

    def test_a_client_that_keeps_its_challenge_meets_the_two_uses(self):
        with Recorder() as recorder:
            client = Client(recorder.url, "admin", PASSWORD)
            limit = requests.post(
                recorder.control + "login", json={"max_nonce_uses": 2}, proxies={"http": None}, timeout=10
            )
            self.assertEqual(limit.status_code, 200)
            with self.assertRaises(requests.HTTPError):
                for _ in range(3):
                    client.System.deviceInfo(method="get")
            self.assertEqual(recorder.state()["wrong_logins"], 0)


class PyHik(unittest.TestCase):
    def test_knows_a_recorder_by_its_document(self):
        with Recorder('content = { name = "cellar" }') as recorder:
            camera = HikCamera(recorder.url, int(recorder.port), "admin", PASSWORD)
            self.assertEqual(camera.get_name, "cellar")
            self.assertEqual(camera.get_device_info()["serialNumber"], recorder.serial)

    def test_a_locked_account_lets_nobody_in(self):
        with Recorder() as recorder:
            for _ in range(5):
                HikCamera(recorder.url, int(recorder.port), "admin", "wrong")
            self.assertGreaterEqual(recorder.state()["wrong_logins"], 5)
            locked = HikCamera(recorder.url, int(recorder.port), "admin", PASSWORD)
            self.assertIsNone(locked.get_name)

    def test_its_newer_client_reads_version_disks_and_permission(self):
        with Recorder() as recorder:
            client = ISAPIClient(recorder.url, username="admin", password=PASSWORD)
            self.assertEqual(client.get_firmware_version(), "V4.30.097")
            self.assertEqual(client.get_device_serial(), recorder.serial)
            self.assertIn("ok", [disk.status for disk in client.get_storage_devices()])
        refused = '[[faults.answers]]\npath = "/ISAPI/System/deviceInfo"\nhow = "code"\ntext = "lowPrivilege"'
        with Recorder(refused) as recorder, self.assertRaises(ISAPIAuthError):
            ISAPIClient(recorder.url, username="admin", password=PASSWORD).get_firmware_version()


if __name__ == "__main__":
    unittest.main()
