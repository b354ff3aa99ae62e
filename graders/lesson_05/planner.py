"""Planner settings that a submission changed: seen in the plans of its sessions, or stored for a role or database."""

from typing import LiteralString

from graders.lesson_05.usage import Usage
from graders.probes.postgres import Postgres

STORED: LiteralString = """
    SELECT coalesce(rolname, 'every role'), coalesce(datname, 'every database'), unnest(setconfig)
    FROM pg_db_role_setting
    LEFT JOIN pg_roles ON pg_roles.oid = setrole
    LEFT JOIN pg_database ON pg_database.oid = setdatabase
"""


def bends_plans(name: str) -> bool:
    """The switches and the cost constants. Memory, search path and the like are for a service to choose."""
    return name.startswith("enable_") or name.endswith("_cost") or name in ("effective_cache_size", "geqo")


def meddled_settings(usage: Usage, postgres: Postgres) -> list[str]:
    """One line for each setting that bends plans and is not the server's."""
    used = {item for plans in usage.plans.values() for plan in plans for item in plan.settings.items()}
    in_plans = [
        f"{name} = {value} in the session that ran the statements"
        for name, value in sorted(used)
        if bends_plans(name) and value != postgres.server_setting(name)
    ]
    stored = [
        f"{setting} stored for {role} in {database}"
        for role, database, setting in postgres.catalog(STORED)
        if bends_plans(setting.partition("=")[0])
    ]
    return in_plans + stored
