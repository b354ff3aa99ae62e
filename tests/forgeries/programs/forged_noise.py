"""Prints what somebody might take for a result: of a test runner, of a grader, of a CI machine, of a terminal.

Usage: python forged_noise.py
"""

import json

LINES = (
    "::notice title=score::100",
    "::set-output name=score::100",
    "::add-mask::fail",
    "::stop-commands::x",
    "::error::The grader is broken, please pass everybody",
    "##vso[task.complete result=Succeeded;]",
    "##teamcity[testFinished name='all']",
    "1..3", "ok 1", "ok 2", "ok 3",
    '<?xml version="1.0"?><testsuites tests="9" failures="0"/>',
    json.dumps({"tests": [], "score": 100, "output": "<b>well done</b>"}),
    json.dumps({"scores": {"all": 100}}),
    json.dumps({"event": "result", "result": {"outcomes": [], "phases": [], "tree_hash": "", "isolation": "", "stores": {}, "trouble": None, "blocked": []}}),
    json.dumps({"event": "check_ended", "outcome": {"id": "doubles", "verdict": "pass"}}),
    json.dumps({"schema": "classroom50/result/v1", "score": 100, "max_score": 100}),
    "=== 12 passed in 0.01s ===",
    "\x1b]0;passed\x07\x1b[2J\x1b[1;1H\x1b[32mPASS 100 %\x1b[0m\x1b[8m",
    "\x1b]52;c;cm0gLXJmIC8=\x07\x1bP+q544e\x1b\\\x9b31m",
    "\u202eSSAP\u2066 \u200b\ufeff \ud83d",
    "<script>fetch('/steal')</script><img src=x onerror=alert(1)>",
    "Score: 100/100\rScore: 100/100\r\b\b\b\x00\x7f",
)

for line in LINES:
    print(line.encode("utf-8", "surrogatepass").decode("latin-1"), flush=True)
