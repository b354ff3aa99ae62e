"""The signature of a report: made and checked over JSON data. Pure; where a key is kept stands in `engine.signing_key`.

A signature proves that whoever wrote the report had the key, and that nothing in it has changed since. It does not prove
that the verdict is right (`octo_lab verify --replay` grades again), nor who handed the files in.
"""

import hashlib
import hmac
import json
from typing import Any

SIGNATURE = "signature"
ALGORITHM = "HMAC-SHA256"


def signed(report: dict[str, Any], key: bytes) -> dict[str, Any]:
    """The report's JSON data with its signature; one that it has is replaced."""
    value = hmac.digest(key, canonical(report), "sha256").hex()
    return {**report, SIGNATURE: {"algorithm": ALGORITHM, "key_id": key_id(key), "value": value}}


def is_valid(report: dict[str, Any], key: bytes) -> bool:
    """Whether the signature of a report is of this key and over just this content."""
    return hmac.compare_digest(report[SIGNATURE]["value"], signed(report, key)[SIGNATURE]["value"])


def key_id(key: bytes) -> str:
    """A name for the key that gives nothing of it away: 16 hexadecimal digits."""
    return hmac.digest(key, b"octo_lab key id", hashlib.sha256).hex()[:16]


def canonical(report: dict[str, Any]) -> bytes:
    """The bytes that are signed: everything but the signature, as RFC 8785 writes it.

    That is: names sorted, no spaces, nothing escaped but quotes, backslashes and control characters, UTF-8. Whole numbers
    have no fraction and others their shortest form, which is the RFC's for what a report holds: at most three decimals,
    between 0.001 and 10^16. Integers past 2^53 (a seed may be) are written in full, where the RFC would refuse them.
    """
    content = {name: value for name, value in report.items() if name != SIGNATURE}
    text = json.dumps(
        _whole_numbers(content), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode(
        "utf-8", "surrogatepass"
    )  # half a character is in no report of ours: let it just not match


def _whole_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _whole_numbers(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_whole_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
