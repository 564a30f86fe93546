"""The findings for people and for programs."""

import json
from dataclasses import asdict

from rich.table import Table
from rich.text import Text

from scannerd.doctor.finding import Finding, Verdict
from scannerd.doctor.rounds import Rounds

MARKS = {Verdict.WELL: ("✓", "green"), Verdict.ACT: ("✗", "bold red"), Verdict.NOT_CHECKED: ("–", "dim")}


def has_something_to_do(rounds: Rounds) -> bool:
    """Whether somebody should act."""
    return any(finding.verdict is Verdict.ACT for finding in rounds.findings)


def table_of(rounds: Rounds) -> Table:
    """Return check | seen | expected | what to do."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("")
    table.add_column("check")
    table.add_column("seen", ratio=3, overflow="fold")
    table.add_column("expected", ratio=2, overflow="fold")
    table.add_column("what to do", ratio=3, overflow="fold")
    for finding in rounds.findings:
        table.add_row(*_row(finding))
    return table


def _row(finding: Finding) -> list[Text]:
    mark, style = MARKS[finding.verdict]
    shown = style if finding.verdict is Verdict.NOT_CHECKED else ""
    return [
        Text(mark, style),
        Text(finding.check, shown),
        Text(finding.seen, shown),
        Text(finding.expected, "dim"),
        Text(finding.todo, "yellow"),
    ]


def summary_of(rounds: Rounds) -> str:
    """Return the last line."""
    counts = {verdict: sum(finding.verdict is verdict for finding in rounds.findings) for verdict in Verdict}
    act, unchecked = counts[Verdict.ACT], counts[Verdict.NOT_CHECKED]
    told = "nothing to do" if not act else f"{act} thing{'s' if act > 1 else ''} to do"
    return f"{told}; {counts[Verdict.WELL]} well, {unchecked} not checked here"


def json_of(rounds: Rounds) -> str:
    """Return it as one object."""
    findings = [asdict(finding) for finding in rounds.findings]
    return json.dumps({"well": not has_something_to_do(rounds), "findings": findings}, indent=2, ensure_ascii=False)
