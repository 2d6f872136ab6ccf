"""Signs documents that were changed as text, whatever they say now."""

import json

from securesystemslib.exceptions import FormatError
from securesystemslib.formats import encode_canonical


def sign(text, signers):
    try:
        message = encode_canonical(text["signed"])
    except FormatError:
        # what somebody else's encoder might make of it
        message = json.dumps(text["signed"], sort_keys=True, separators=(",", ":"))
    signatures = [signer.sign(message.encode()) for signer in signers]
    text["signatures"] = [{"keyid": signature.keyid, "sig": signature.signature} for signature in signatures]
