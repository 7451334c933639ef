"""pytest plugin: writes one line "OUTCOME NODE" for each test.

Why: two runs of a suite, on the untouched and on the shrunk layer, are compared
test by test, and pytest's own reports differ between its versions.
How: PYTHONPATH=tests/wheels python -m pytest -p outcomes ..., with the file to
write in SOFOLD_OUTCOMES. The outcome of a test is the worst of its set-up, call
and tear-down; a file that cannot be collected counts as a test.
"""

import os

RANK = {"passed": 0, "xfailed": 1, "xpassed": 2, "skipped": 3, "failed": 4}
outcomes = {}


def outcome_of(report):
    if hasattr(report, "wasxfail"):
        return "xfailed" if report.skipped else "xpassed"
    return report.outcome


def note(report):
    outcome = outcome_of(report)
    known = outcomes.get(report.nodeid)
    if known is None or RANK[outcome] > RANK[known]:
        outcomes[report.nodeid] = outcome


def pytest_runtest_logreport(report):
    note(report)


def pytest_collectreport(report):
    if report.failed or report.skipped:
        note(report)


def pytest_sessionfinish(session):
    # With xdist the workers end a session too; only the controller hears of all tests.
    if hasattr(session.config, "workerinput"):
        return
    with open(os.environ["SOFOLD_OUTCOMES"], "w") as out:
        for node in sorted(outcomes):
            out.write("%s %s\n" % (outcomes[node], node.replace("\n", " ")))
