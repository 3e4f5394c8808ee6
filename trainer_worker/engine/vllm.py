"""vLLM as an engine: a program of its own on this machine, asked over its OpenAI API on the loopback.

Adapters come and go while it runs (its `/v1/load_lora_adapter`), each under the deployment's id. A request whose client
has left is closed, which vLLM takes for a cancellation.
"""

import asyncio
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import httpx

from contracts.completion import Ask, Refusal, Taken
from contracts.fault import Fault, FaultReport
from contracts.serving import Load
from trainer_worker.engine.port import Tell
from trainer_worker.engine.vllm_words import Pieces, body_of, context_fault, fault_of, path_of, tokenize_body

BASE = "base"
START_S = 1800.0
"""Reading a large model and compiling for it takes many minutes."""
LOOK_S = 0.5
END_S = 30.0
MOST_WAITING = 2048
MOST_RANK = 64
PARSERS = (
    ("<function=", "qwen3_coder"),
    ("<tool_call>", "hermes"),
    ("[TOOL_CALLS]", "mistral"),
    ("<|python_tag|>", "llama3_json"),
)
"""A mark in a chat template, and vLLM's name for the parser of such calls."""


class VllmEngine:
    """Returns from its making once vLLM answers. Raises Fault deployment.failed with its last line when it ends before.

    `more`: further arguments of `vllm serve`, as the operator gives them.
    """

    def __init__(
        self, program: str, name: str, folder: Path, tell: Tell, note: Callable[[str], None], more: list[str]
    ) -> None:
        self.name, self.tell, self._note = name, tell, note
        self._own = folder.parent.parent / f"vllm-{secrets.token_hex(4)}"
        """Its files: it may read them again later, when it has put an adapter aside."""
        self._own.mkdir(parents=True)
        shutil.copytree(folder, self._own / "model", copy_function=os.link)
        self._key, self._port = secrets.token_urlsafe(24), _free_port()
        self._tasks: dict[str, Future[None]] = {}
        self._choices: dict[str, tuple[str, int]] = {}
        self._voices: dict[str, str] = {}
        self._last_line = ""
        self._is_closing = False
        self._process = self._start(program, [*parser_of(folder, more), *more])
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name=f"vllm {name}", daemon=True).start()
        self._http = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self._port}",
            headers={"Authorization": f"Bearer {self._key}"},
            timeout=httpx.Timeout(None, connect=5.0),
            limits=httpx.Limits(max_connections=None),
            trust_env=False,
        )
        try:
            self._wait_until_ready()
        except BaseException:
            self.close()
            raise

    def _start(self, program: str, more: list[str]) -> "subprocess.Popen[str]":
        command = [program, "serve", str(self._own / "model"), "--host", "127.0.0.1", "--port", str(self._port)]
        command += ["--served-model-name", BASE, "--generation-config", "vllm"]
        command += ["--enable-lora", "--max-lora-rank", str(MOST_RANK), *more]
        environment = {**os.environ, "VLLM_API_KEY": self._key, "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1"}
        environment |= {"VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1"}
        process = subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        threading.Thread(target=self._read_lines, args=[process], name="vllm lines", daemon=True).start()
        return process

    def _read_lines(self, process: "subprocess.Popen[str]") -> None:
        for line in process.stdout or ():
            if line.strip():
                self._last_line = line.strip()
                self._note(self._last_line)

    def _wait_until_ready(self) -> None:
        until = time.monotonic() + START_S
        with httpx.Client(trust_env=False, timeout=5) as http:
            while time.monotonic() < until:
                if self._process.poll() is not None:
                    raise Fault("deployment.failed", model=self.name, detail=f"vLLM ended: {self._last_line[:300]}")
                try:
                    if http.get(f"http://127.0.0.1:{self._port}/health").status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                time.sleep(LOOK_S)
        raise Fault("deployment.failed", model=self.name, detail=f"vLLM was not ready after {START_S:.0f} s")

    @property
    def fault(self) -> FaultReport | None:
        if self._is_closing or self._process.poll() is None:
            return None
        detail = f"vLLM ended: {self._last_line[:300]}"
        return FaultReport(code="deployment.failed", params={"model": self.name, "detail": detail})

    def hold(self, load: Load, adapter: Path | None) -> None:
        if adapter is not None:
            kept = self._own / load.deployment
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(adapter, kept, copy_function=os.link)
            answer = self._adapter("load_lora_adapter", {"lora_name": load.deployment, "lora_path": str(kept)})
            if answer.is_error:
                detail = fault_of(answer.status_code, answer.content).params.get("detail", "")
                raise Fault("engine.unfit_adapter", model=load.name, detail=detail)
        self._voices[load.deployment] = BASE if adapter is None else load.deployment

    def let_go(self, deployment: str) -> None:
        voice = self._voices.pop(deployment, BASE)
        for ask, (of, _) in list(self._choices.items()):
            if of == deployment:
                self.cancel(ask)
        if voice != BASE and self._process.poll() is None:
            self._adapter("unload_lora_adapter", {"lora_name": deployment})
            shutil.rmtree(self._own / deployment, ignore_errors=True)

    def _adapter(self, what: str, body: dict[str, str]) -> httpx.Response:
        posting = self._http.post(f"/v1/{what}", json=body, timeout=300)
        return asyncio.run_coroutine_threadsafe(posting, self._loop).result()

    def busy_with(self, deployment: str) -> tuple[int, int]:
        """vLLM does not tell which of them wait."""
        return sum(count for of, count in self._choices.values() if of == deployment), 0

    def ask(self, ask: Ask) -> None:
        waiting = sum(count for _, count in list(self._choices.values()))
        if waiting + ask.choices > MOST_WAITING:
            fault = FaultReport(code="engine.busy", params={"model": self.name, "waiting": waiting})
            return self.tell(ask.reply_to, Refusal(ask=ask.id, fault=fault))
        self._choices[ask.id] = (ask.deployment, ask.choices)
        self._tasks[ask.id] = asyncio.run_coroutine_threadsafe(self._answer(ask), self._loop)

    def cancel(self, ask: str) -> None:
        if (task := self._tasks.get(ask)) is not None:
            task.cancel()

    def close(self) -> None:
        self._is_closing = True
        for task in list(self._tasks.values()):
            task.cancel()
        for number, wait_s in ((signal.SIGTERM, END_S), (signal.SIGKILL, END_S)):
            if self._process.poll() is not None:
                break
            os.killpg(self._process.pid, number)
            try:
                self._process.wait(wait_s)
            except subprocess.TimeoutExpired:
                continue
        asyncio.run_coroutine_threadsafe(self._http.aclose(), self._loop).result(END_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        shutil.rmtree(self._own, ignore_errors=True)

    async def _answer(self, ask: Ask) -> None:
        """Whoever was cancelled by its client hears nothing more; by us, that the engine is lost."""
        try:
            await self._forward(ask)
        except asyncio.CancelledError:
            if self._is_closing or ask.deployment not in self._voices:
                self.tell(ask.reply_to, Refusal(ask=ask.id, fault=FaultReport(code="engine.lost")))
            raise
        except Fault as fault:
            self.tell(ask.reply_to, Refusal(ask=ask.id, fault=fault.report))
        except httpx.TransportError as error:
            self._note(f"a request broke off: {error!r}")
            self.tell(ask.reply_to, Refusal(ask=ask.id, fault=FaultReport(code="engine.lost")))
        finally:
            self._choices.pop(ask.id, None)
            self._tasks.pop(ask.id, None)

    async def _forward(self, ask: Ask) -> None:
        """Taken as soon as the prompt is counted: how long it waits inside is no sign of being lost."""
        voice = self._voices[ask.deployment]
        counted = await self._http.post("/tokenize", json=tokenize_body(ask, voice))
        if counted.is_error:
            return self._refuse(ask, counted.status_code, counted.content)
        told = counted.json()
        if (fault := context_fault(ask, int(told["count"]), int(told["max_model_len"]))) is not None:
            return self.tell(ask.reply_to, Refusal(ask=ask.id, fault=fault))
        self.tell(ask.reply_to, Taken(ask=ask.id, prompt_tokens=int(told["count"])))
        pieces = Pieces(ask)
        async with self._http.stream("POST", path_of(ask), json=body_of(ask, voice)) as answer:
            if answer.is_error:
                return self._refuse(ask, answer.status_code, await answer.aread())
            async for line in answer.aiter_lines():
                if line.startswith("data: {"):
                    for delta in pieces.read(json.loads(line.removeprefix("data: "))):
                        self.tell(ask.reply_to, delta)
        if pieces.ended < ask.choices:
            self.tell(ask.reply_to, Refusal(ask=ask.id, fault=FaultReport(code="engine.lost")))

    def _refuse(self, ask: Ask, status: int, content: bytes) -> None:
        self.tell(ask.reply_to, Refusal(ask=ask.id, fault=fault_of(status, content)))


def parser_of(folder: Path, more: list[str]) -> list[str]:
    """What has vLLM read a model's own calls of tools, by what its chat template teaches. The operator's word counts.

    Without one vLLM refuses `tool_choice: auto` in its own words.
    """
    if any(word.startswith("--tool-call-parser") for word in more):
        return [] if "--enable-auto-tool-choice" in more else ["--enable-auto-tool-choice"]
    template = _template_of(folder)
    for mark, parser in PARSERS:
        if mark in template:
            return ["--enable-auto-tool-choice", "--tool-call-parser", parser]
    return []


def _template_of(folder: Path) -> str:
    """As the model's files have it, in whichever of the two places."""
    file, config = folder / "chat_template.jinja", folder / "tokenizer_config.json"
    if file.exists():
        return file.read_text()
    return str(json.loads(config.read_text()).get("chat_template", "")) if config.exists() else ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
