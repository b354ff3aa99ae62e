"""Who may do what, as the lesson's text says it: the rules that permissions.toml and the service are held against."""

from dataclasses import dataclass

ROLES = ("viewer", "clerk", "accountant", "auditor", "admin")
EVERYBODY = frozenset(ROLES)
READERS = frozenset({"viewer", "clerk", "accountant", "auditor"})
CLERK = frozenset({"clerk"})
ACCOUNTANT = frozenset({"accountant"})
MONEY_READERS = frozenset({"accountant", "auditor"})
ADMIN = frozenset({"admin"})
USER_READERS = frozenset({"auditor", "admin"})


@dataclass(frozen=True)
class Rule:
    """One route and the roles that may use it; `status` is the answer when all is well."""

    method: str
    template: str
    roles: frozenset[str]
    status: int = 200

    @property
    def route(self) -> str:
        return f"{self.method} {self.template}"

    @property
    def writes(self) -> bool:
        return self.method != "GET"


RULES = (
    Rule("GET", "/v1/customers", EVERYBODY),
    Rule("POST", "/v1/customers", CLERK, 201),
    Rule("GET", "/v1/customers/{customer_id}", EVERYBODY),
    Rule("PUT", "/v1/customers/{customer_id}", CLERK),
    Rule("PATCH", "/v1/customers/{customer_id}", CLERK),
    Rule("DELETE", "/v1/customers/{customer_id}", ADMIN, 204),
    Rule("GET", "/v1/customers/{customer_id}/balance", READERS),
    Rule("GET", "/v1/customers/{customer_id}/invoices", READERS),
    Rule("POST", "/v1/customers/{customer_id}/invoices", CLERK, 201),
    Rule("GET", "/v1/invoices/overdue", READERS),
    Rule("GET", "/v1/invoices/by-number/{number}", READERS),
    Rule("GET", "/v1/invoices/{invoice_id}", READERS),
    Rule("POST", "/v1/invoices/{invoice_id}/send", CLERK),
    Rule("POST", "/v1/invoices/{invoice_id}/void", ACCOUNTANT),
    Rule("POST", "/v1/invoices/{invoice_id}/payments", ACCOUNTANT, 201),
    Rule("GET", "/v1/invoices/{invoice_id}/payments/{payment_id}", MONEY_READERS),
    Rule("GET", "/v1/admin/invoices", MONEY_READERS),
    Rule("POST", "/v1/admin/invoices/void", ACCOUNTANT),
    Rule("GET", "/v1/users", USER_READERS),
    Rule("GET", "/v1/users/{user_id}", USER_READERS),
    Rule("PATCH", "/v1/users/{user_id}", ADMIN),
)


def rule(route: str) -> Rule:
    """The rule of a route, named as in permissions.toml."""
    return next(rule for rule in RULES if rule.route == route)
