"""`whetstone evaluate`: how good is a model, and is it better than another?"""

from typing import Annotated

import typer

from whetstone_cli.api import Api, Json, connect
from whetstone_cli.ends import Ended, Exit
from whetstone_cli.evaluators import named_grader
from whetstone_cli.say import AsJson, as_json, line, note, table
from whetstone_cli.wait import end_as, wait

EVALUATIONS = "/api/v1/evaluations"
VERDICTS = {"ship": "SHIP", "dont_ship": "DON'T SHIP", "cant_tell": "CAN'T TELL"}
MARKS = {"met": "met", "not_met": "not met", "unsure": "can't tell"}
OWN = ("mean", "accuracy", "length_mean", "truncated", "errors", "not_scored")
CHANGES = ("delta", "delta_accuracy", "delta_length", "improved", "regressed")


def evaluate(
    model: Annotated[str, typer.Option(help="The model that answers, or a checkpoint by its name.")],
    dataset: Annotated[str, typer.Option(help="Whose prompts it answers, like sums@2.")],
    evaluator: Annotated[str, typer.Option(help="Who scores: a saved evaluator (math@3), or a grader's file.")],
    baseline: Annotated[str | None, typer.Option(help="A model to compare with, like the base.")] = None,
    samples: Annotated[int, typer.Option(min=1, max=64, help="Answers a row: pass@k needs several.")] = 1,
    limit: Annotated[int | None, typer.Option(min=1, help="The first rows alone.")] = None,
    longest: Annotated[int | None, typer.Option(min=1, help="Tokens after which an answer is cut off.")] = None,
    temperature: Annotated[float | None, typer.Option(min=0, max=2, help="0 is greedy.")] = None,
    require: Annotated[
        list[str] | None, typer.Option(help='With --baseline: a bar, like "delta > 0.02". May come often.')
    ] = None,
    anew: Annotated[bool, typer.Option("--anew", help="Carry it out also when it was before.")] = False,
    waits: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the numbers.")] = True,
    timeout_s: Annotated[float | None, typer.Option("--timeout", min=0, help="Seconds to wait at the most.")] = None,
    json: AsJson = False,
) -> None:
    """Evaluate a model, and with --baseline say whether it may ship.

    Exit codes: 0 done, or SHIP; 1 DON'T SHIP; 2 an evaluation failed or was cancelled; 3 nobody can tell yet.
    """
    api = connect()
    settings = {
        "samples": samples, "limit": limit, "max_completion_length": longest, "temperature": temperature,
    }  # fmt: skip
    body: Json = {"model": model, "dataset": dataset, "baseline": baseline, "anew": anew} | named_grader(evaluator)
    body["settings"] = {name: value for name, value in settings.items() if value is not None}
    made = api.post(EVALUATIONS, body)
    for one in made["reused"]:
        note(f"{one} was carried out before, or is under way: it is not begun again.")
    both = [one for one in (made["evaluation"], made["baseline"]) if one]
    if not waits:
        return as_json(made) if json else table(("evaluation", "model"), [(one["id"], one["model"]) for one in both])
    ended = [_end(api, one["id"], timeout_s) for one in both]
    if baseline is None:
        return as_json(ended[0]) if json else _show(ended[0])
    card = api.get(f"{EVALUATIONS}/compare", candidate=ended[0]["id"], baseline=ended[1]["id"], require=require or None)
    if json:
        as_json(card)
    else:
        _show_card(card)
    return _judge(card)


def _end(api: Api, evaluation: str, timeout_s: float | None) -> Json:
    found = wait(api, evaluation, timeout_s, at=EVALUATIONS)
    end_as(found)
    return found


def _show(found: Json) -> None:
    line(f"{found['model']} on {found['dataset']}: {found['numbers']['rows']} rows")
    passes = [one["name"] for one in found["numbers"]["measures"] if one["name"].startswith("pass@")]
    _table(found["numbers"]["measures"], (*OWN, *passes))
    _warn(found)


def _show_card(card: Json) -> None:
    new, old = card["candidate"], card["baseline"]
    line(f"{VERDICTS[card['verdict']]}: {new['model']} against {old['model']} on {card['compared']} rows")
    table(
        ("bar", "value", "95 % interval", ""),
        [
            (one["requirement"], one["measure"]["value"], _interval(one["measure"]), MARKS[one["judgement"]])
            for one in card["bars"]
        ],
    )
    line("")
    _table(card["measures"], (*CHANGES, "mean", "accuracy"))
    line("")
    line(f"better at {card['wins']} rows, worse at {card['losses']}, the same at {card['ties']}")
    _warn(new)


def _table(measures: Json, names: tuple[str, ...]) -> None:
    known = {one["name"]: one for one in measures}
    table(
        ("", "value", "95 % interval", "rows"),
        [(name, one["value"], _interval(one), one["rows"]) for name in names if (one := known.get(name))],
    )


def _interval(one: Json) -> str | None:
    return None if one["low"] is None else f"{one['low']:.4g} to {one['high']:.4g}"


def _warn(found: Json) -> None:
    overlap = found["overlap"]
    if overlap and overlap["rows"]:
        note(f"{overlap['rows']} of {overlap['of']} rows were trained on ({', '.join(overlap['datasets'])}).")


def _judge(card: Json) -> None:
    if card["verdict"] == "dont_ship":
        raise Ended(Exit.REFUSED)
    if card["verdict"] == "cant_tell":
        raise Ended(Exit.UNKNOWN, "Nobody can tell by these rows.", "Evaluate more rows, or more answers a row.")
