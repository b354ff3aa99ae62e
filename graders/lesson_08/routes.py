"""Templates of paths, compared as CONTRACT.md has them: the names in braces are free."""

import re

from graders.probes.exposition import Page, Wanted

NAME = re.compile(r"\{[^}]*\}")
UNMATCHED = "unmatched"


def same(found: object, template: str | None) -> bool:
    """Whether a route in a line or a label is this template."""
    if template is None or not isinstance(found, str):
        return found is template
    return NAME.sub("{}", found) == NAME.sub("{}", template)


def of_route(page: Page, metric: str, template: str, **wanted: Wanted) -> float:
    """The sum of the series of the template that have these labels, too."""
    routes = {route for route in page.values(metric, "route") if same(route, template)}
    return page.total(metric, route=routes, **wanted)
