"""What is permitted is listed; what is not listed is forbidden, to everybody."""

from collections.abc import Mapping
from dataclasses import dataclass

from billing.domain.users import Role


class BadPermissions(Exception):
    """The list can't be understood. The service does not start: it would have to guess who may do what."""


@dataclass(frozen=True)
class Permissions:
    """The roles that may use each route, by method and template: ("GET", "/v1/customers/{customer_id}")."""

    roles: Mapping[tuple[str, str], frozenset[Role]]

    def permit(self, role: Role, method: str, template: str) -> bool:
        """Whether the role may use the route. Who may GET may ask for HEAD, which says less."""
        asked = ("GET" if method == "HEAD" else method, template)
        return role in self.roles.get(asked, frozenset())
