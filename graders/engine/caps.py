"""What an archive may hold: told to the process that unpacks it."""

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Caps:
    """What an archive may hold: files, bytes in all of them, levels of folders. `left_out`: names passed over."""

    files: int
    bytes: int
    depth: int
    left_out: tuple[str, ...] = ()

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> "Caps":
        data = json.loads(text)
        return Caps(data["files"], data["bytes"], data["depth"], tuple(data["left_out"]))
