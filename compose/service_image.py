"""Images that services run in, built from `service.Dockerfile`. What a list may name is decided elsewhere."""

import hashlib
import io
import os
import tarfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from compose.engine import IMAGE, Client, had
from compose.places import silently

DOCKERFILE = Path(__file__).with_name("service.Dockerfile")
REPOSITORY = "octo_lab/service"

# How this machine reaches its package registries; proxies are the engine's own predefined arguments.
PASSED = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "NPM_CONFIG_REGISTRY")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


class BuildFailed(Exception):
    """The image could not be built; the text is what the build said."""


@dataclass(frozen=True)
class Recipe:
    """What goes into an image: files by name, and whether Node.js is among it. `target`: dependencies or service."""

    files: Mapping[str, bytes]
    target: str

    @property
    def node(self) -> bool:
        return "package.json" in self.files

    @property
    def stage(self) -> str:
        return f"{self.target}-with-node" if self.node else self.target

    def key(self, bases: Mapping[str, str]) -> str:
        total = hashlib.sha256(DOCKERFILE.read_bytes() + f"{self.stage} {sorted(bases.items())}".encode())
        for name, data in sorted(self.files.items()):
            total.update(f"\0{name}\0".encode() + hashlib.sha256(data).digest())
        return total.hexdigest()[:20]


def built(client: Client, recipe: Recipe, seconds: float, say: Callable[[str], None]) -> str:
    """The tag of the image, built if there is none yet. Raises BuildFailed, or StoresFailed for want of a base."""
    bases = _bases(client, recipe, say)
    tag = _tag(recipe, bases)
    if client.images.list(name=tag):
        return tag
    say(f"Building the image of the service ({tag})")
    arguments = {f"{name.upper()}_IMAGE": id for name, id in bases.items()}
    arguments |= {name: os.environ[name] for name in (*PASSED, *PROXIES) if os.environ.get(name)}
    _build(client, tag, recipe, arguments, seconds)
    return tag


def there(client: Client, recipe: Recipe) -> bool:
    """Whether the image was built before. Raises StoresFailed for want of a base."""
    return bool(client.images.list(name=_tag(recipe, _bases(client, recipe, silently))))


def _bases(client: Client, recipe: Recipe, say: Callable[[str], None]) -> dict[str, str]:
    return {name: had(client, name, say) for name in (("python", "node") if recipe.node else ("python",))}


def _tag(recipe: Recipe, bases: Mapping[str, str]) -> str:
    return f"{REPOSITORY}:{recipe.key(bases)}"


def _build(client: Client, tag: str, recipe: Recipe, arguments: dict[str, str], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    said: list[str] = []
    steps = client.api.build(
        fileobj=_context(recipe),
        custom_context=True,
        dockerfile=DOCKERFILE.name,
        target=recipe.stage,
        tag=tag,
        buildargs=arguments,
        labels={IMAGE: "service"},
        rm=True,
        forcerm=True,
        decode=True,
    )
    for step in steps:
        said.append(str(step.get("stream", "")))
        if "error" in step:
            raise BuildFailed("".join([*said[-30:], step["error"]]))
        if time.monotonic() > deadline:
            steps.close()
            raise BuildFailed(f"The installation took longer than {seconds:.0f} s.")


def _context(recipe: Recipe) -> io.BytesIO:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, data in {**recipe.files, DOCKERFILE.name: DOCKERFILE.read_bytes()}.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o644
            tar.addfile(entry, io.BytesIO(data))
    packed.seek(0)
    return packed
