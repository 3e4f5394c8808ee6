"""Every kind of grader with a note and examples, in the order of docs/guides/graders.md."""

from collections.abc import Mapping

from pydantic import BaseModel

from graders.schema import (
    CodeTests,
    Endpoint,
    Format,
    JsonSchema,
    LabelModel,
    Language,
    Length,
    Math,
    Multi,
    Number,
    Python,
    Regex,
    Repetition,
    RewardModelGrader,
    Rubric,
    ScoreModel,
    Steps,
    StringCheck,
    TextSimilarity,
    ToolCall,
)

COSINE = {
    "type": "text_similarity",
    "reference": "{{ item.answer }}",
    "evaluation_metric": "cosine",
    "embedding_model": "my-embedder",
}
EXACT = {"type": "string_check", "reference": "{{ item.answer }}"}
MATH = {"type": "math", "reference": "{{ item.answer }}"}
SIMILAR = {"type": "text_similarity", "reference": "{{ item.answer }}"}
NUMBER = {"type": "number", "reference": "{{ item.answer }}"}
CALL = {"type": "tool_call", "reference": "{{ item.answer }}"}
_RIGHT_CALL = {"name": "weather", "arguments": {"city": "Rome", "days": 3}}
_PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name"],
}
ASKED = [{"role": "user", "content": "Is “{{ sample.output_text }}” as good as “{{ item.answer }}”? From 0 to 1."}]
JUDGED = {"type": "score_model", "model": "my-judge", "input": ASKED}
LABELLED = {
    "type": "label_model",
    "model": "my-judge",
    "input": [{"role": "user", "content": "In which tone is this? {{ sample.output_text }}"}],
    "labels": ["kind", "neutral", "rude"],
    "passing_labels": ["kind", "neutral"],
}
POLITE = {"text": "Names the right city.", "weight": 3, "name": "right"}
Example = tuple[Mapping[str, object], str, object]
"""Grader, the model's answer, the dataset's column `answer`."""

EXAMPLES: list[tuple[type[BaseModel], str, list[Example]]] = [
    (
        StringCheck,
        "Nothing is trimmed. `like` and `ilike` look for the reference inside the text; an empty reference is in every "
        "text. OpenAI's older word `neq` is read as `ne`.",
        [
            (EXACT, "42", "42"),
            (EXACT, "The answer is 42", "42"),
            (EXACT | {"operation": "ilike"}, "It is a CAT.", "cat"),
        ],
    ),
    (
        TextSimilarity,
        "`fuzzy_match` is `rapidfuzz.fuzz.ratio` over 100: 1 − (insertions + deletions) / (both lengths). `bleu` is "
        "sacrebleu's sentence BLEU over 100 (4-grams, smoothed by `exp`, effective order, 13a). `gleu` is nltk's "
        "Google BLEU, `meteor` nltk's METEOR by exact words and stems: its synonyms need WordNet, which PyPI does not "
        "ship, and are left out. `rouge_1` to `rouge_5` and `rouge_l` are rouge-score's F-measure, without stemming. "
        "OpenAI does not say which variants it uses. Chinese and Japanese characters count as words. METEOR of the "
        "same four words is 0.992, and ROUGE-5 of texts under five words 0. "
        "Texts too long to be compared (lengths that "
        "multiply to more than 10^10; for the others 10^6 characters, for METEOR 4·10^6 pairs of words) are 0 with "
        "`other_error`. `cosine` is the cosine of both texts' embeddings; where the embedding model gives none, the "
        "sample is not scored.",
        [
            (EXACT | {"type": "text_similarity"}, "fuzzy wuzzy was a bear", "fuzzy wuzzy had no hair"),
            (EXACT | {"type": "text_similarity"}, "gallstone ileus", "gall stone ileus"),
            (SIMILAR | {"evaluation_metric": "bleu"}, "The graded text", "The reference text"),
            (SIMILAR | {"evaluation_metric": "meteor"}, "The graded text", "The reference text"),
            (SIMILAR | {"evaluation_metric": "rouge_l"}, "The graded text", "The reference text"),
            (COSINE, "a banana and a cocoa", "avocado"),
        ],
    ),
    (
        Number,
        "Reads `-3.5`, `−7`, `.5`, `1,234,567`, `6e-3`, `$12`, `3/4` and `25%`, exactly and however long. Right is "
        "|answer − right| ≤ max(absolute tolerance, relative tolerance × |right|). A percent sign on one side only may "
        "be meant either way: 25% equals 25 and 0.25. No number in the answer is 0; none in the reference is 0 with "
        "`other_error`. With `units` only numbers that have one beside them are read: after them (`18 km`, "
        "`18\\text{ km}`), and signs like `$` before them too. Case counts and nothing is converted, so list every "
        "spelling; the right number may stand without its unit.",
        [
            (NUMBER, "16 − 3 − 4 = 9, so she makes $18.", "#### 18"),
            (NUMBER | {"relative_tolerance": 0.01}, "about 3.14", "3.14159"),
            (NUMBER | {"pick": "only"}, "18 dollars", 18),
            (NUMBER | {"units": ["dollars", "$"]}, "So $18 for 9 eggs.", "18 dollars"),
        ],
    ),
    (
        Math,
        "By math-verify, which reads LaTeX and expressions and compares them by sympy: 1/3, \\frac13 and 0.333333 … as "
        "`decimals` say. It runs in a jail of its own: a pair that takes longer than `timeout_s` is cut off, 0 with "
        "`other_error`, and the rest goes on. An answer in which no mathematics is found is 0 and no error; a right "
        "answer without any is 0 with `other_error`. Not scored, and never 0: a machine that has no jail.",
        [
            (MATH, r"So it is $\frac{1}{3}$.", r"\frac{1}{3}"),
            (MATH, r"So it is $\frac{1}{2}$.", r"\frac{1}{3}"),
            (MATH | {"find": "boxed"}, r"From $x = 5$ follows \boxed{2x + 2}.", "2(x + 1)"),
        ],
    ),
    (
        Regex,
        "RE2 syntax: no look-around, no back-references, and no pattern that hangs. With a `reference`, the first "
        "group of the last match must equal it. A text too long for a huge pattern is 0 with `other_error`.",
        [
            ({"type": "regex", "pattern": "(?s)^<think>.*</think>"}, "<think>16 - 7</think> 9", ""),
            (
                {"type": "regex", "pattern": "answer: (\\w+)", "reference": "{{ item.answer }}"},
                "answer: 7. No, answer: 9",
                "9",
            ),
        ],
    ),
    (
        JsonSchema,
        "Draft 2020-12, or what `$schema` names, by jsonschema. OpenAI's `response_format` form is read too. An "
        "answer that is no JSON, or does not fit, is 0 and no error; the receipt's evidence says what is wrong, with "
        "paths. Schemas that lead out (`$ref` to a URL) or never end, and patterns that RE2 cannot read, are refused. "
        "Schema and answer that together take more than about a second of work are 0 with `other_error`.",
        [
            ({"type": "json_schema", "json_schema": _PERSON}, '{"name": "Ada", "age": 36}', ""),
            ({"type": "json_schema", "json_schema": _PERSON, "find": "fenced"}, '```json\n{"age": "36"}\n```', ""),
        ],
    ),
    (
        Format,
        "There is a check for each tag (opened once, closed once after it), each section (one line that begins so), "
        "for the order of the tags, for the order of the sections, and for what stands outside of the tags; with "
        "`partial_credit` the score is the share of checks that hold. `tags: [think]` with `outside: after` scores as "
        "TRL's `think_format_reward` documents. There are no errors: what does not hold stands in the evidence.",
        [
            ({"type": "format", "tags": ["think", "answer"]}, "<think>16 - 7</think><answer>9</answer>", ""),
            (
                {"type": "format", "tags": ["think", "answer"], "partial_credit": True},
                "Well: <think>16 - 7</think><answer>9</answer>",
                "",
            ),
            ({"type": "format", "tags": ["think"], "outside": "after"}, "<think>16 - 7 = 9", ""),
        ],
    ),
    (
        ToolCall,
        "Reads `sample.output_tools` (OpenAI's `tool_calls`), or where a sample has none, `<tool_call>{…}</tool_call>` "
        "blocks in its text, as Qwen and Hermes write them. Types count: 5 and 5.0 are the same, 5 and “5” are not. "
        "With `partial_credit` each call is worth 0.1 for its name and 0.9 for the share of its arguments, and the sum "
        "is divided by the larger number of calls. A call of the model that cannot be read is wrong; a reference "
        "that cannot is 0 with `other_error`.",
        [
            (CALL, '<tool_call>{"name": "weather", "arguments": {"city": "Rome", "days": 3}}</tool_call>', _RIGHT_CALL),
            (
                CALL | {"partial_credit": True},
                '<tool_call>{"name": "weather", "arguments": {"city": "Rome", "days": "3"}}</tool_call>',
                _RIGHT_CALL,
            ),
        ],
    ),
    (
        Length,
        "`target`: 1 − |length − target| / target, after L1 (arXiv:2503.04697). `cosine`: CosFn of Yeo et al. "
        "(arXiv:2502.03373); for their whole reward give right and wrong answers a curve each, `right * short_right + "
        "(1 - right) * long_wrong`. `soft_overlong`: DAPO (arXiv:2503.14476), equation 13. `harmonizing`: reference "
        "length / length − 1, the length term of O1-Pruner (arXiv:2501.12570), to which a formula adds `2 * right`. "
        "Counting tokens needs `sample.output_tokens`: 0 with `invalid_variable_error` where nobody counted.",
        [
            ({"type": "length", "target": 4}, "She makes 18 dollars a day.", ""),
            ({"type": "length", "curve": "cosine", "longest": 12}, "She makes 18 dollars a day.", ""),
            (
                {"type": "length", "curve": "soft_overlong", "longest": 8, "buffer": 4},
                "She makes 18 dollars a day.",
                "",
            ),
            (
                {"type": "length", "curve": "harmonizing", "reference": "{{ item.answer }}"},
                "She makes 18.",
                "She makes 18 dollars a day.",
            ),
        ],
    ),
    (
        Repetition,
        "(1 − different n-grams / all n-grams) × highest penalty, as in Yeo et al. (arXiv:2502.03373) and TRL's "
        "`get_repetition_penalty_reward`, which counts tokens. A text that is shorter than an n-gram is 0, and there "
        "are no errors.",
        [
            ({"type": "repetition", "ngram": 2}, "1 2 3 4", ""),
            ({"type": "repetition", "ngram": 2}, "5 5 5 5 5", ""),
        ],
    ),
    (
        Language,
        "By py3langid, offline, 139 languages; a few words can mislead it. `share` is the language consistency reward "
        "of DeepSeek-R1 (arXiv:2501.12948) by lines. A text without letters is in no language: 0. A column with an "
        "unknown code, and a share of more than 5,000 lines, are 0 with `other_error`.",
        [
            ({"type": "language", "language": "de"}, "Also verdient sie 18 Dollar am Tag.", ""),
            ({"type": "language", "language": "en", "measure": "share"}, "She makes 18.\n所以答案是十八。", ""),
        ],
    ),
    (
        ScoreModel,
        "The judge is asked for JSON by a strict schema: `steps`, each with a description and a conclusion, and then "
        "`result`. The steps stand on the receipt as evidence, what was spent as `usage`. A message's content is a "
        "text or a list of parts of type `input_text` and `output_text`; images and sound are refused. Where the judge "
        "cannot be reached (`model_grader_server_error`), refuses (`model_grader_refusal_error`) or answers three "
        "times in a way that cannot be read (`model_grader_parse_error`), the sample is not scored, and never 0.",
        [(JUDGED, "It is Paris.", "Paris")],
    ),
    (
        LabelModel,
        "As `score_model`, with the label as `result`: a label that was not offered counts as unreadable.",
        [(LABELLED, "It is Paris.", "Paris")],
    ),
    (
        Rubric,
        "The score is Σ weight × score ÷ Σ weights above 0, as HealthBench has it: a criterion that names a fault "
        "gets a weight below 0. The judge gives each criterion a score from 0 to 1 with its reason, and each stands on "
        "the receipt by its name. One question asks for all criteria of a sample. A row's own rubric is a list of "
        "texts or of objects (`text`, `criterion` or `description`; `weight` or `points`; `name`), or a criterion a "
        "line; a row without one is not scored.",
        [
            (
                {"type": "rubric", "model": "my-judge", "criteria": [POLITE, {"text": "Greets.", "name": "greets"}]},
                "It is Paris.",
                "Paris",
            )
        ],
    ),
    (
        Endpoint,
        "Azure's preview kind; its `rate_limit` is read as `max_rps`. What is posted is at most 1 MB. Headers whose "
        "name sounds like a key must refer to a secret, and references are all that a grader's JSON ever holds. An "
        "address inside the platform's own network is refused unless its operator allows it, and redirects are not "
        "followed. A service that does not answer (`unresponsive_reward_error`) or answers without a number "
        "(`other_error`) leaves the sample not scored.",
        [
            (
                {
                    "type": "endpoint",
                    "url": "https://grading.example.com/score",
                    "headers": {"Authorization": "Bearer ${secret:GRADING_KEY}"},
                },
                "It is Paris.",
                "Paris",
            )
        ],
    ),
    (
        Python,
        "OpenAI's graders run unchanged. It is real CPython in a jail (see sandbox.md): no network, no files but an "
        "empty scratch, no environment, no other process, 2 GB of memory. An exception, or anything but a finite "
        "number, is 0 with `python_grader_runtime_error` and the traceback; an answer that takes longer than "
        "`timeout_s` too, and the others go on. A batch has five times `timeout_s`: what is left then, and everything "
        "on a machine without a jail, is *not scored* (`python_grader_server_error`). What it prints is shown with "
        "the score.",
        [
            (
                {
                    "type": "python",
                    "source": "def grade(sample, item):\n    words = sample['output_text'].split()\n"
                    "    print(len(words), 'words')\n    return min(1, item['answer'] / len(words))",
                },
                "one two three four",
                2,
            ),
            ({"type": "python", "source": "def grade(sample, item):\n    return 1 / item['answer']"}, "", 0),
        ],
    ),
    (
        CodeTests,
        "Every test has a process of its own in a jail (see sandbox.md). A test is `assert f(2) == 4`, `{call, "
        "expected}`, `{stdin, stdout}`, or a script. Of the first three only the question goes into the jail and the "
        "comparison is made outside, so code cannot claim to be right; a script, or an assert of another form, is "
        "decided beside the code, which could cheat there if it set out to. Floats may differ in the last digits. Code "
        "that fails is 0 without a flag; tests that nobody can read are 0 with `other_error`; without a jail nothing "
        "is scored.",
        [
            (
                {"type": "code_tests", "tests": "{{ item.answer }}"},
                "```python\ndef add(a, b):\n    return a + b\n```",
                ["assert add(1, 2) == 3", {"call": "add('a', 'b')", "expected": "ab"}, "assert add(1, 1) == 3"],
            ),
        ],
    ),
    (
        RewardModelGrader,
        "What is scored is a conversation that ends with the answer: the messages in `sample.prompt`, then "
        "`sample.output_text`; or, with `input`, whatever its messages say. Whatever goes wrong is not scored, and "
        "never 0: these scores have no lowest one. Only differences between answers to the same prompt mean "
        "something; for another scale write a formula, like `(quality - 2) / 3`.",
        [
            ({"type": "reward_model", "model": "helpful"}, "Paris.", ""),
            ({"type": "reward_model", "model": "helpful", "scale": "sigmoid"}, "It is", ""),
        ],
    ),
    (
        Steps,
        "The inner grader is any grader; all steps of a batch are graded at once. What stands before the first mark is "
        "a step too, so that nothing escapes. A step's errors are the whole's errors; where a step is not scored, the "
        "whole is not; an answer without steps is 0. Let's Verify Step by Step (arXiv:2305.20050) takes the product.",
        [
            (
                {
                    "type": "steps",
                    "grader": {"type": "regex", "pattern": "= \\d+"},
                    "split": "step",
                    "aggregate": "min",
                },
                "Step 1: 16 - 7 = 9\nStep 2: 9 times 2 is 18",
                "",
            ),
            (
                {"type": "steps", "grader": {"type": "reward_model", "model": "helpful"}, "aggregate": "mean"},
                "First Paris.\n\nOr Rome.",
                "",
            ),
        ],
    ),
    (
        Multi,
        "`^` binds tightest and to the right, `log` is natural. Parts may be `multi` themselves, up to five deep, "
        "which OpenAI does not allow. A formula without a value (division by zero, overflow) is 0 with "
        "`formula_parse_error`.",
        [
            (
                {
                    "type": "multi",
                    "graders": {"right": NUMBER, "brief": {"type": "regex", "pattern": r"^\S{1,8}$"}},
                    "calculate_output": "0.9 * right + 0.1 * brief",
                },
                "it is 18",
                18,
            ),
        ],
    ),
]
