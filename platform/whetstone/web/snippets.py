"""How a deployment is asked from a program: texts that run as they stand, once the key is put in."""

import json
import shlex
from dataclasses import dataclass

KEY = "$WHETSTONE_KEY"


@dataclass(frozen=True)
class Snippet:
    id: str
    title: str
    text: str


def snippets(url: str, name: str) -> list[Snippet]:
    """`url`: the platform's own, without a slash at its end."""
    base, quoted = f"{url}/v1", json.dumps(name, ensure_ascii=False)
    body = {"model": name, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 64}
    return [
        Snippet("snippet-curl", "curl", _curl(f"{base}/chat/completions", body)),
        Snippet("snippet-python", "Python", PYTHON.format(base=json.dumps(base), name=quoted)),
        Snippet("snippet-javascript", "JavaScript", JAVASCRIPT.format(base=json.dumps(base), name=quoted)),
    ]


def snippets_of_scorer(url: str, name: str) -> list[Snippet]:
    """The same for a reward model: no library is needed."""
    address, quoted = f"{url}/api/v1/scores", json.dumps(name, ensure_ascii=False)
    body = {"model": name, "input": [{"prompt": "Hello", "answer": "Hello! How can I help?"}]}
    return [
        Snippet("snippet-curl", "curl", _curl(address, body)),
        Snippet("snippet-python", "Python", SCORE_PYTHON.format(address=json.dumps(address), name=quoted)),
        Snippet("snippet-javascript", "JavaScript", SCORE_JAVASCRIPT.format(address=json.dumps(address), name=quoted)),
    ]


def _curl(address: str, body: object) -> str:
    data = shlex.quote(json.dumps(body, ensure_ascii=False))
    return (
        f"curl {shlex.quote(address)} \\\n"
        f'  -H "Authorization: Bearer {KEY}" \\\n'
        f'  -H "Content-Type: application/json" \\\n'
        f"  -d {data}"
    )


PYTHON = """\
import os

from openai import OpenAI  # pip install openai

client = OpenAI(base_url={base}, api_key=os.environ["WHETSTONE_KEY"])
stream = client.chat.completions.create(
    model={name},
    messages=[{{"role": "user", "content": "Hello"}}],
    max_tokens=64,
    stream=True,
)
for chunk in stream:
    for choice in chunk.choices:
        print(choice.delta.content or "", end="", flush=True)"""
JAVASCRIPT = """\
import OpenAI from "openai"; // npm install openai

const client = new OpenAI({{ baseURL: {base}, apiKey: process.env.WHETSTONE_KEY }});
const stream = await client.chat.completions.create({{
  model: {name},
  messages: [{{ role: "user", content: "Hello" }}],
  max_tokens: 64,
  stream: true,
}});
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta?.content ?? "");"""

SCORE_PYTHON = """\
import os

import httpx  # pip install httpx

answer = httpx.post(
    {address},
    headers={{"Authorization": "Bearer " + os.environ["WHETSTONE_KEY"]}},
    json={{
        "model": {name},
        "input": [
            {{"prompt": "Hello", "answer": "Hello! How can I help?"}},
            {{"prompt": "Hello", "answer": "What do you want?"}},
        ],
    }},
    timeout=60,
)
answer.raise_for_status()
for one in answer.json()["data"]:
    print(one["index"], one["score"])"""
SCORE_JAVASCRIPT = """\
const answer = await fetch({address}, {{
  method: "POST",
  headers: {{ Authorization: `Bearer ${{process.env.WHETSTONE_KEY}}`, "Content-Type": "application/json" }},
  body: JSON.stringify({{
    model: {name},
    input: [
      {{ prompt: "Hello", answer: "Hello! How can I help?" }},
      {{ prompt: "Hello", answer: "What do you want?" }},
    ],
  }}),
}});
if (!answer.ok) throw new Error(await answer.text());
for (const one of (await answer.json()).data) console.log(one.index, one.score);"""
