"""A host of engines in a test's hands: it dials out to a web process over HTTP, and says what the test has it say."""

import subprocess
import sys
import time
from dataclasses import dataclass

import httpx

from contracts.completion import Ask, Cancel, Delta, Letters, Replies, Reply, Said, Taken
from contracts.serving import Attendance, Duties, Held
from tests.whetstone.factories import MACHINE
from tests.whetstone.serving import ROOT

NAME = "told"
MAKE = f"""
import django; django.setup()
from tests.whetstone.factories import make_key, make_model
made = make_model({NAME!r})
made.files = [*made.files, {{"path": "model.safetensors", "sha256": "0" * 64, "size": 4}}]
made.save()
print(make_key())
"""


def make_served(environment: dict[str, str]) -> str:
    """A model that can be asked, and a key for it."""
    made = subprocess.run([sys.executable, "-c", MAKE], cwd=ROOT, env=environment, capture_output=True, check=True)
    return made.stdout.decode().split()[-1]


@dataclass
class SpokenHost:
    url: str
    token: str
    mark: str = ""
    holds: tuple[Held, ...] = ()
    number: int = 0

    def __post_init__(self) -> None:
        headers = {"authorization": f"Bearer {self.token}"}
        self.http = httpx.Client(base_url=self.url, headers=headers, trust_env=False, timeout=30)

    def attend(self) -> None:
        said = Attendance(host="here", pool="cpu", machine=MACHINE, free_memory_gb=4.0, holds=self.holds)
        answer = self.http.post("/api/worker/serving/attend", content=said.model_dump_json())
        duties = Duties.model_validate_json(answer.raise_for_status().content)
        self.holds += tuple(Held(deployment=load.deployment, state="ready") for load in duties.load)

    def letter(self, kind: type[Ask] | type[Cancel], timeout_s: float = 20) -> Ask | Cancel:
        """The next one of this kind. It attends meanwhile."""
        give_up = time.monotonic() + timeout_s
        while time.monotonic() < give_up:
            self.attend()
            about: dict[str, str | float] = {"host": "here", "mark": self.mark, "wait_s": 0.2}
            answer = self.http.get("/api/worker/serving/letters", params=about).raise_for_status()
            found = Letters.model_validate_json(answer.content)
            self.mark = found.mark or self.mark
            for letter in found.letters:
                if isinstance(letter, kind):
                    return letter
        raise AssertionError(f"no {kind.__name__} came")

    def tell(self, ask: Ask, *said: Said) -> None:
        replies = []
        for one in said:
            self.number += 1
            replies.append(Reply(to=ask.reply_to, said=one.model_copy(update={"ask": ask.id, "number": self.number})))
        body = Replies(replies=tuple(replies)).model_dump_json()
        self.http.post("/api/worker/serving/replies", content=body).raise_for_status()

    def take(self) -> Ask:
        """Take the next question, and say so."""
        ask = self.letter(Ask)
        assert isinstance(ask, Ask)
        self.tell(ask, Taken(ask=ask.id, prompt_tokens=3))
        return ask


def pieces(count: int, letters: int = 1) -> list[Said]:
    return [Delta(ask="", text="x" * letters, tokens=1) for _ in range(count)]
