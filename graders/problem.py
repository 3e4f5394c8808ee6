"""What is wrong with a grader, where, and what was probably meant."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

# Texts are gettext message ids: `{name}` is filled from the problem's params after translation.
TEXTS: Mapping[str, str] = {
    "grader.not_an_object": "A grader is a JSON object with a “type”",
    "grader.type_missing": "A grader needs a “type”, one of {options}",
    "grader.not_one_of": "“{value}” is not one of {options}",
    "grader.unknown_field": "“{field}” is not a field of {type}, which has {options}",
    "grader.field_missing": "{type} needs “{field}”",
    "grader.not_text": "{value} is not text: put it into quotes",
    "grader.not_unicode": "The text holds half a character (a lone surrogate)",
    "grader.not_a_number": "{value} is not a number",
    "grader.not_whole": "{value} is not a whole number",
    "grader.not_a_switch": "{value} is neither true nor false",
    "grader.not_a_list": "{value} is not a list",
    "grader.too_small": "{value} is less than {least}",
    "grader.not_above": "{value} is not more than {bound}",
    "grader.too_large": "{value} is more than {most}",
    "grader.empty": "This must not be empty",
    "grader.text_too_long": "The text is longer than {most} characters",
    "grader.too_many": "There are more than {most} graders",
    "grader.list_too_long": "The list is longer than {most}",
    "grader.not_json": "{value} is not a JSON object",
    "grader.too_deep": "Graders stand inside each other more than {most} deep",
    "grader.bad_name": "“{value}” cannot stand in a formula: use up to 64 of a-z, A-Z, 0-9 and _, no digit first",
    "grader.invalid": "{detail}",
    "multi.not_graders": "“graders” is an object of graders by name, or a list of graders that have a name",
    "multi.name_missing": "Grader number {number} of the list has no name for the formula",
    "multi.name_twice": "The name “{name}” is given to two graders",
    "conversation.not_messages": "“input” is a list of messages, each with a role and a content",
    "conversation.not_a_text_part": "A message holds a part of type {kind}, and only {options} are read: no images and "
    "no sound",
    "judge.range": "“range” is the lowest and the highest score, in this order",
    "judge.not_a_label": "“{label}” is not one of the labels",
    "rubric.which": "A rubric has either “criteria” or “rubric”, which says where a row holds its own",
    "rubric.no_weight": "No criterion has a weight above 0: nothing could be met",
    "endpoint.not_http": "“{url}” is no address that begins with http:// or https://",
    "endpoint.password": "An address holds no password: put it into a header, as a secret",
    "endpoint.header_name": "“{name}” cannot be a header of yours",
    "endpoint.header_value": "The value of the header {name} holds what no header can",
    "endpoint.masked": "The value of the header {name} is the mask that answers show, not the value itself",
    "endpoint.secret_in_the_open": "The header {name} holds something secret: write {example}, and put the value into "
    "the settings under that name",
    "embedding.model_missing": "“cosine” needs an “embedding_model”",
    "python.too_long": "The source is longer than {most} kB",
    "python.syntax": "Line {line}: {detail}",
    "python.unreadable": "Python cannot read this: it nests too deep, or holds characters that no source may",
    "python.no_grade": "The source defines no function grade(sample, item)",
    "template.unclosed": "“{opening}” opens a variable that never ends with “{closing}”",
    "template.not_a_variable": "“{tag}” is not a variable: write item.column or sample.output_text",
    "template.namespace": "“{tag}” starts with neither item nor sample",
    "pattern.invalid": "RE2 cannot read this pattern: {detail}",
    "pattern.not_linear": "RE2 has neither look-around nor back-references: {detail}",
    "json_schema.invalid": "This is no JSON Schema: at {where}, {detail}",
    "json_schema.too_deep": "The JSON Schema nests too deep",
    "json_schema.leads_out": "“{reference}” leads out of the schema: only those inside, like #/$defs/…, are followed",
    "json_schema.leads_nowhere": "“{reference}” leads to nothing in the schema",
    "json_schema.not_here": "“{keyword}” is not supported: use additionalProperties, items and $ref",
    "json_schema.endless": "The JSON Schema refers to itself without end",
    "json_schema.too_much": "The JSON Schema takes too much work to be checked",
    "format.twice": "“{name}” is named twice",
    "format.bad_tag": "“{value}” is no tag: write its name without brackets, like think",
    "format.nothing": "Name at least one tag or section",
    "length.needed": "The curve “{curve}” needs “{field}”",
    "length.buffer_too_long": "The buffer is longer than the longest length",
    "language.unknown": "“{language}” is no language code that is known here, like en, de or zh",
    "steps.pattern_missing": "To split at a pattern, give a “pattern”",
    "multi.not_a_part": "“{name}” is switched off and is not one of the graders {options}",
    "multi.nothing_runs": "Everything that the formula reads is switched off: switch one grader on",
    "formula.unknown_name": "“{name}” is not one of the graders {options}",
    "formula.unknown_function": "“{name}” is not one of the functions {options}",
    "formula.unknown_sign": "“{sign}” at character {at} is not part of a formula, which knows + - * / ^ ( )",
    "formula.unexpected": "“{token}” at character {at} is not expected there",
    "formula.ends_early": "The formula ends where a value or a parenthesis is still to come",
    "formula.one_value": "{function} takes one value, not {count}",
    "formula.number_too_large": "The number {number} is too large",
    "formula.too_deep": "The formula nests more than {most} deep",
}
GUESS = "did you mean {guess}?"

# What people write when they mean another word.
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "contains": ("ilike", "like"),
    "includes": ("ilike", "like"),
    "in": ("ilike", "like"),
    "icontains": ("ilike",),
    "equals": ("eq",),
    "equal": ("eq",),
    "exact": ("eq",),
    "==": ("eq",),
    "=": ("eq",),
    "not_equal": ("ne",),
    "not_equals": ("ne",),
    "!=": ("ne",),
    "exact_match": ("string_check",),
    "string": ("string_check",),
    "similarity": ("text_similarity",),
    "fuzzy": ("text_similarity", "fuzzy_match"),
    "levenshtein": ("text_similarity", "fuzzy_match"),
    "ratio": ("fuzzy_match",),
    "rouge": ("rouge_l", "text_similarity"),
    "rouge1": ("rouge_1",),
    "rougel": ("rouge_l",),
    "sacrebleu": ("bleu",),
    "bleu": ("bleu", "text_similarity"),
    "google_bleu": ("gleu",),
    "numeric": ("number",),
    "float": ("number",),
    "int": ("number",),
    "math_verify": ("math",),
    "mathematics": ("math",),
    "latex": ("math",),
    "sympy": ("math",),
    "accuracy": ("math",),
    "boxed": ("boxed", "find"),
    "regexp": ("regex", "pattern"),
    "json": ("json_schema",),
    "schema": ("json_schema",),
    "jsonschema": ("json_schema",),
    "structured_output": ("json_schema",),
    "xml": ("format",),
    "think": ("format",),
    "think_format": ("format",),
    "headings": ("sections",),
    "headers": ("sections",),
    "partial": ("partial_credit",),
    "function_call": ("tool_call",),
    "function_calling": ("tool_call",),
    "tool_calls": ("tool_call",),
    "tools": ("tool_call",),
    "args": ("arguments",),
    "parameters": ("arguments",),
    "ordered": ("order",),
    "superset": ("subset",),
    "overlong": ("length", "soft_overlong"),
    "dapo": ("length", "soft_overlong"),
    "o1_pruner": ("length", "harmonizing"),
    "harmonising": ("harmonizing",),
    "max_length": ("longest",),
    "max_len": ("longest",),
    "cache": ("buffer",),
    "shape": ("curve",),
    "chars": ("characters",),
    "ngram_size": ("ngram",),
    "n": ("ngram",),
    "repeat": ("repetition",),
    "penalty": ("max_penalty",),
    "lang": ("language",),
    "langid": ("language",),
    "preference_model": ("reward_model",),
    "judge": ("score_model",),
    "llm_judge": ("score_model",),
    "llm": ("score_model",),
    "classifier": ("label_model",),
    "criteria": ("rubric",),
    "webhook": ("endpoint",),
    "http": ("endpoint",),
    "remote": ("endpoint",),
    "rate_limit": ("max_rps",),
    "messages": ("input",),
    "embedding": ("embedding_model", "cosine"),
    "rm": ("reward_model",),
    "process": ("steps",),
    "process_reward": ("steps",),
    "prm": ("steps",),
    "step": ("step", "steps"),
    "separator": ("split", "pattern"),
    "average": ("mean",),
    "avg": ("mean",),
    "minimum": ("min",),
    "prod": ("product",),
    "aggregation": ("aggregate",),
    "reduce": ("aggregate",),
    "combine": ("multi",),
    "weighted": ("multi",),
    "formula": ("multi", "calculate_output"),
    "expression": ("calculate_output",),
    "expected": ("reference",),
    "target": ("target", "reference"),
    "answer": ("reference",),
    "text": ("input",),
    "regex": ("pattern",),
    "op": ("operation",),
    "operator": ("operation",),
    "metric": ("evaluation_metric",),
    "tolerance": ("absolute_tolerance",),
    "unit": ("unit", "units"),
    "threshold": ("pass_threshold",),
    "timeout": ("timeout_s",),
    "code": ("source", "code_tests"),
    "script": ("source", "python"),
    "function": ("source", "python"),
    "unit_tests": ("code_tests", "tests"),
    "ln": ("log",),
    "square_root": ("sqrt",),
}


class Mistake(ValueError):
    """One thing that is wrong in a grader's text; the caller knows the place."""

    def __init__(self, code: str, guess: str | None = None, **params: str | int) -> None:
        super().__init__(sentence(code, params, guess))
        self.code = code
        self.guess = guess
        self.params: dict[str, str | int] = params


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a grader, with its place in the JSON that was given."""

    path: str
    """Dotted, like `graders.a.operation`; empty for the document itself."""
    value: object
    """What stands there."""
    code: str
    """Key of TEXTS."""
    params: Mapping[str, str | int] = field(default_factory=dict)
    guess: str | None = None

    @property
    def message(self) -> str:
        return self.sentence()

    def sentence(self, translate: Callable[[str], str] = str) -> str:
        """The message, with `translate` applied to the texts before names are filled in."""
        return sentence(self.code, self.params, self.guess, translate)

    def to_json(self) -> dict[str, object]:
        return {"path": self.path, "value": self.value, "code": self.code, "message": self.message}


class GraderError(ValueError):
    """A grader that cannot be used, with everything that is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(f"{p.path}: {p.message}" if p.path else p.message for p in problems))
        self.problems = problems


def sentence(
    code: str,
    params: Mapping[str, str | int],
    guess: str | None,
    translate: Callable[[str], str] = str,
) -> str:
    said = translate(TEXTS[code]).format(**params)
    if guess is None:
        return said if said.endswith((".", "?")) else said + "."
    return f"{said}; {translate(GUESS).format(guess=guess)}"


def likely(word: str, options: Iterable[str]) -> str | None:
    """The option that was probably meant, if one comes near."""
    options = list(options)
    meant = [option for option in SYNONYMS.get(word.lower(), ()) if option in options]
    near = difflib.get_close_matches(word[:64].lower(), options, n=1, cutoff=0.6)
    return next(iter(meant + near), None)


def quoted(value: object) -> str:
    """A value as it may stand in a sentence: short, whatever it is."""
    text = value if isinstance(value, str) else _shown(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _shown(value: object) -> str:
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else hex(value) if value.bit_length() > 200 else str(value)
    return "a list" if isinstance(value, list) else "an object"
