"""A program that speaks what vLLM documents of its server: `vllm serve PATH …`. It counts letters as tokens.

It is no vLLM: it shows that what we send is what that program's documentation asks for, and that we read its answers.
"""

import argparse
import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

CONTEXT = 200
SLOW_S = 0.02


class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    adapters: dict[str, str] = {}
    base = ""
    parser = ""
    seen: Path
    lock = threading.Lock()

    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        self._json(200 if self.path == "/health" else 404, {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with self.lock, self.seen.open("a") as file:
            file.write(json.dumps([self.path, body]) + "\n")
        if self.path.startswith("/v1/") and self.headers["authorization"] != f"Bearer {os.environ['VLLM_API_KEY']}":
            return self._json(401, {"error": {"message": "Unauthorized"}})
        answers = {
            "/tokenize": self._tokenize,
            "/v1/load_lora_adapter": self._load,
            "/v1/unload_lora_adapter": self._unload,
            "/v1/completions": self._write,
            "/v1/chat/completions": self._write,
        }
        answers[self.path](body)

    def _json(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _tokenize(self, body: Any) -> None:
        self._json(200, {"count": len(_prompt(body)), "max_model_len": CONTEXT, "tokens": []})

    def _load(self, body: Any) -> None:
        if not (Path(body["lora_path"]) / "adapter_config.json").exists():
            return self._json(400, {"error": {"message": "no adapter there", "code": 400}})
        self.adapters[body["lora_name"]] = body["lora_path"]
        self._json(200, f"Success: LoRA adapter '{body['lora_name']}' added successfully.")

    def _unload(self, body: Any) -> None:
        del self.adapters[body["lora_name"]]
        self._json(200, "Success")

    def _write(self, body: Any) -> None:
        if body.get("tools") and body.get("tool_choice", "auto") == "auto" and not self.parser:
            said = '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
            return self._json(400, {"error": {"message": said, "code": 400}})
        if body["model"] not in (self.base, *self.adapters):
            return self._json(404, {"error": {"message": f"The model `{body['model']}` does not exist.", "code": 404}})
        if body["temperature"] == 2.0:
            return self._json(400, {"error": {"message": "too hot", "code": 400}})
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        try:
            for chunk in _chunks(body, "chat" in self.path):
                self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
                self.wfile.flush()
                time.sleep(SLOW_S)
            self.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            with self.lock, self.seen.open("a") as file:
                file.write(json.dumps(["left", {}]) + "\n")
        self.close_connection = True


def _prompt(body: Any) -> str:
    if "messages" not in body:
        return str(body["prompt"])
    tools = json.dumps(body["tools"]) if body.get("tools") else ""
    return tools[:20] + "".join(one["content"] for one in body["messages"])


def _chunks(body: Any, is_chat: bool) -> Any:
    read = len(_prompt(body))
    text = f"<{body['model']}>" + "x" * 500
    if body.get("response_format", {}).get("type") in ("json_object", "json_schema"):
        text = json.dumps({"form": body["response_format"].get("json_schema", {}).get("name")})
    if body.get("tools") and body.get("tool_choice") != "none":
        yield from _called(body, read)
        return
    written = text[: body.get("max_tokens", 20)]
    if is_chat:
        for n in range(body["n"]):
            yield _chunk(n, {"delta": {"role": "assistant", "content": ""}}, read, 0)
    for place, letter in enumerate(written, 1):
        for n in range(body["n"]):
            told = {"token": letter, "logprob": -0.5, "bytes": [ord(letter)], "top_logprobs": []}
            logprobs: Any = None
            if is_chat and body.get("logprobs"):
                logprobs = {"content": [told]}
            elif not is_chat and "logprobs" in body:
                logprobs = {"tokens": [letter], "token_logprobs": [-0.5], "top_logprobs": [{letter: -0.5}]}
            end = "length" if place == len(written) else None
            piece: Any = {"delta": {"content": letter}} if is_chat else {"text": letter}
            yield _chunk(n, piece | {"logprobs": logprobs, "finish_reason": end}, read, place)
    yield {"choices": [], "usage": {"prompt_tokens": read, "completion_tokens": body["n"] * len(written)}}


def _called(body: Any, read: int) -> Any:
    """One call in pieces, as vLLM streams it: the name with the first of them."""
    choice = body["tool_choice"]
    function = choice["function"] if isinstance(choice, dict) else body["tools"][0]["function"]
    pieces: list[Any] = [{"id": "chatcmpl-tool-1", "type": "function", "function": {"name": function["name"]}}]
    pieces += [{"function": {"arguments": piece}} for piece in ('{"ci', 'ty": ', '"Rome"}')]
    for n in range(body["n"]):
        yield _chunk(n, {"delta": {"role": "assistant", "content": ""}}, read, 0)
        for place, piece in enumerate(pieces, 1):
            yield _chunk(n, {"delta": {"tool_calls": [{"index": 0} | piece]}}, read, place)
        yield _chunk(n, {"delta": {}, "finish_reason": "tool_calls"}, read, len(pieces))


def _chunk(n: int, piece: Any, read: int, written: int) -> Any:
    usage = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
    return {"choices": [{"index": n} | piece], "usage": usage}


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("serve")
    asked.add_argument("path", type=Path)
    for name in ("--host", "--served-model-name", "--generation-config"):
        asked.add_argument(name, required=True)
    asked.add_argument("--port", type=int, required=True)
    asked.add_argument("--enable-lora", action="store_true", required=True)
    asked.add_argument("--max-lora-rank", type=int, required=True)
    asked.add_argument("--enable-auto-tool-choice", action="store_true")
    asked.add_argument("--tool-call-parser", default="")
    asked.add_argument("--break", dest="breaks", action="store_true")
    given = asked.parse_args()
    if given.breaks or not (given.path / "config.json").exists():
        raise SystemExit("ValueError: no such architecture")
    print("INFO Starting to load the model", flush=True)
    if given.tool_call_parser and not given.enable_auto_tool_choice:
        raise SystemExit("--tool-call-parser requires --enable-auto-tool-choice")
    Server.parser = given.tool_call_parser
    Server.base, Server.seen = given.served_model_name, given.path.parent.parent / "seen.jsonl"
    ThreadingHTTPServer((given.host, given.port), Server).serve_forever()


if __name__ == "__main__":
    main()
