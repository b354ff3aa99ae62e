"""Who works with a tenant's records, and as what."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

Role = Literal["viewer", "clerk", "accountant", "auditor", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True)
class User:
    """A person or a program. `subject` is the identity provider's name for it, and never changes."""

    id: int
    tenant_id: int
    subject: str
    role: Role
    active: bool
    created_at: datetime
