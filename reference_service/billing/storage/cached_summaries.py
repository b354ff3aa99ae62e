"""How a summary lies in the cache: its keys, its form, and the steps that no other client may come between."""

import json
from dataclasses import asdict
from datetime import datetime

from billing.domain.summaries import Summary

# Keys: summary, filling, changing. Arguments: the right to fill, the summary, its age in ms.
PUT = """
if redis.call('GET', KEYS[2]) == ARGV[1] and redis.call('EXISTS', KEYS[3]) == 0 then
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
    redis.call('DEL', KEYS[2])
end
"""
# Keys: those three for each customer. Arguments: the write, begin or end, seconds that a write takes at most.
# `changing` has every write that is under way, with the second at which it must be over: whoever died is forgotten then.
TAKE_AWAY = """
local now = tonumber(redis.call('TIME')[1])
for at = 1, #KEYS, 3 do
    redis.call('DEL', KEYS[at], KEYS[at + 1])
    redis.call('ZREMRANGEBYSCORE', KEYS[at + 2], '-inf', now)
    if ARGV[2] == 'begin' then
        redis.call('ZADD', KEYS[at + 2], now + ARGV[3], ARGV[1])
        redis.call('EXPIRE', KEYS[at + 2], ARGV[3])
    else
        redis.call('ZREM', KEYS[at + 2], ARGV[1])
    end
end
"""


def keys_of(customer_id: int) -> list[str]:
    name = f"billing:summary:{customer_id}"
    return [name, f"{name}:filling", f"{name}:changing"]


def encoded(tenant_id: int, summary: Summary) -> str:
    return json.dumps([tenant_id, asdict(summary)], default=datetime.isoformat)


def decoded(text: str) -> tuple[int, Summary]:
    tenant_id, values = json.loads(text)
    newest = values["newest_at"]
    return tenant_id, Summary(**{**values, "newest_at": newest and datetime.fromisoformat(newest)})
