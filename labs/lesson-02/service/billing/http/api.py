"""The HTTP interface, put together: routes, answers to faults, middleware, and the document of it all."""

from fastapi import FastAPI
from fastapi.routing import APIRoute

from billing.http import customers, health, invoice_life, invoices
from billing.http.body_limit import BodyLimit
from billing.http.faults import answer_faults
from billing.http.openapi import serve_document
from billing.http.request_log import RequestLog
from billing.storage.pool import Pool

ROUTERS = (health.router, customers.router, invoices.router, invoice_life.router)


def create_api(pool: Pool) -> FastAPI:
    """The application, serving from the pool. A path that ends in a slash is another path, not a redirect."""
    app = FastAPI(
        title="Billing",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.pool = pool
    for router in ROUTERS:
        app.include_router(router)
    app.state.routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    answer_faults(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(RequestLog)  # added last, so it is the outermost
    serve_document(app)
    return app
