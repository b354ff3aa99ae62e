"""The HTTP interface, put together: routes, answers to faults, middleware, and the document of it all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.params import Depends
from fastapi.routing import APIRoute

from billing.http import customers, health, invoice_life, invoices
from billing.http.body_limit import BodyLimit
from billing.http.faults import answer_faults
from billing.http.head import HeadAsGet
from billing.http.openapi import document_truly
from billing.http.request_log import RequestLog
from billing.storage.pool import Pool

ROUTERS = (health.router, customers.router, invoices.router, invoice_life.router)


@dataclass(frozen=True)
class Guard:
    """What stands before the routes where the service itself finds out who calls, and what is served only there."""

    routers: Sequence[APIRouter]
    before_each_route: Depends
    install: Callable[[FastAPI], None]
    document: Callable[[dict[str, Any]], dict[str, Any]]


def create_api(pool: Pool, guard: Guard | None = None) -> FastAPI:
    """The application, serving from the pool. A path that ends in a slash is another path, not a redirect."""
    app = FastAPI(
        title="Billing",
        version="1",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        dependencies=[guard.before_each_route] if guard else None,
    )
    app.state.pool = pool
    app.state.guarded = guard is not None
    routers = (*ROUTERS, *(guard.routers if guard else ()))
    for router in routers:
        app.include_router(router)
    app.state.routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    answer_faults(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(HeadAsGet)
    if guard:
        guard.install(app)
    app.add_middleware(RequestLog)  # added last, so it is the outermost
    document_truly(app, guard.document if guard else None)
    return app
