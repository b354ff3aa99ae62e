"""The API's document, as we handed it to the shop team in spring."""

import json
from pathlib import Path

from fastapi import FastAPI
from starlette.responses import JSONResponse

DOCUMENT = Path(__file__).parents[2] / "openapi.json"


def serve_document(app: FastAPI) -> None:
    document = json.loads(DOCUMENT.read_text("utf-8"))

    @app.get("/openapi.json")
    async def openapi() -> JSONResponse:
        return JSONResponse(document)
