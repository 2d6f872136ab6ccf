"""python-tuf's part of the comparison: METADATA TARGET…, each target hashed against what is signed."""

import sys

from tuf.api.metadata import Metadata

metadata, *paths = sys.argv[1:]
listed = Metadata.from_file(metadata).signed.targets
for path in paths:
    folder, file = path.split("/")[-2:]
    with open(path, "rb") as file_object:
        listed[f"{folder}/{file.partition('.')[2]}"].verify_length_and_hashes(file_object)
