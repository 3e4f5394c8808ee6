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
    return [
        Snippet("snippet-curl", "curl", _curl(base, name)),
        Snippet("snippet-python", "Python", PYTHON.format(base=json.dumps(base), name=quoted)),
        Snippet("snippet-javascript", "JavaScript", JAVASCRIPT.format(base=json.dumps(base), name=quoted)),
    ]


def _curl(base: str, name: str) -> str:
    body = {"model": name, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 64}
    data = shlex.quote(json.dumps(body, ensure_ascii=False))
    return (
        f"curl {shlex.quote(f'{base}/chat/completions')} \\\n"
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
