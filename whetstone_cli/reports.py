"""A gate's verdicts for others to read: JUnit for a pipeline, Markdown for a comment on a pull request."""

from xml.etree import ElementTree

from whetstone_cli.api import Json
from whetstone_cli.requirement import Judged

MARKS = {"passed": "✅ passed", "failed": "❌ failed", "unknown": "❔ could not tell"}


def junit(job: Json, judged: list[Judged]) -> str:
    """A test case for each requirement."""
    counts = [sum(one.verdict == verdict for one in judged) for verdict in ("failed", "unknown")]
    suite = ElementTree.Element(
        "testsuite",
        {
            "name": f"whetstone gate {job['id']}",
            "tests": str(len(judged)),
            "failures": str(counts[0]),
            "errors": str(counts[1]),
            "skipped": "0",
        },
    )
    for one in judged:
        case = ElementTree.SubElement(
            suite, "testcase", {"classname": f"whetstone.{job['id']}", "name": str(one.requirement), "time": "0"}
        )
        if one.verdict != "passed":
            kind = "failure" if one.verdict == "failed" else "error"
            ElementTree.SubElement(case, kind, {"message": one.why}).text = one.why
        ElementTree.SubElement(case, "system-out").text = f"{one.why} Interval: {one.interval or 'none'}."
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def markdown(job: Json, judged: list[Judged], confidence: float, url: str) -> str:
    verdicts = {one.verdict for one in judged}
    whole = next(mark for name, mark in reversed(MARKS.items()) if name in verdicts)
    lines = [
        f"### {whole}: [{job['id']}]({url}/jobs/{job['id']})",
        "",
        f"`{job['model']}` → `{job['fine_tuned_model'] or 'no model'}`, {job['step']} steps",
        "",
        f"| requirement | value | {100 * confidence:g} % interval | rows | |",
        "|---|---|---|---|---|",
    ]
    for one in judged:
        value = f"{one.measure['value']:.4g}" if one.measure else "–"
        rows = one.measure["rows"] if one.measure and one.measure["rows"] else "–"
        lines.append(f"| `{one.requirement}` | {value} | {one.interval or '–'} | {rows} | {MARKS[one.verdict]} |")
    unknown = [f"- {one.why}" for one in judged if one.verdict == "unknown"]
    return "\n".join([*lines, *([""] if unknown else []), *unknown]) + "\n"
