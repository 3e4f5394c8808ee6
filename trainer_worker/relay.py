"""The worker's end of `outside`: takes a training's questions from a socket and makes the requests, with the keys."""

import contextlib
import logging
import os
import socketserver
import threading
from pathlib import Path
from typing import cast

from contracts.reach import Reach
from graders import Port, Unreachable
from graders.http import PATIENT_TRIES, Allowed, AnswerCache, Calls, JudgeAddress, http_port
from trainer_worker.outside import SOCKET, Asked, Told, short_path

log = logging.getLogger(__name__)
FAILED = "The worker could not ask."


class Relay:
    """Open for as long as the training lives. Keys are in this process's memory, and nowhere else on this machine."""

    def __init__(self, folder: Path, reach: Reach, cache: AnswerCache, platform: str = "") -> None:
        """`platform`: where it is reached, for judges that are its own models."""
        self._calls = Calls(Allowed.read(reach.private_hosts), tries=PATIENT_TRIES)
        self._home = Calls(Allowed.only(platform), tries=PATIENT_TRIES)
        judges = [JudgeAddress(**one.at(platform).model_dump()) for one in reach.judges]
        self._file = folder / SOCKET
        self._file.unlink(missing_ok=True)
        with short_path(folder) as path:
            self._server = _Server(path, http_port(judges, reach.secrets, self._calls, cache, home=self._home))
        os.chmod(self._file, 0o600)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="relay", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Who still waits for an answer is hung up on."""
        self._server.shutdown()
        self._server.server_close()
        self._calls.close()
        self._home.close()
        self._file.unlink(missing_ok=True)


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, path: str, port: Port) -> None:
        self.port = port
        super().__init__(path, _Line)

    def handle_error(self, request: object, client_address: object) -> None:
        log.error("a training's question was not answered")


class _Line(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        told = _told(cast(_Server, self.server).port, self.rfile.read())
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the training has ended meanwhile
            self.wfile.write(told.model_dump_json().encode())


def _told(port: Port, raw: bytes) -> Told:
    try:
        return _answered(port, Asked.model_validate_json(raw))
    except Unreachable as error:
        return Told(unreachable=str(error))
    except Exception as error:
        # A traceback's values might hold a key: the kind of error says enough.
        log.error("a training's question failed: %s", type(error).__name__)
        return Told(unreachable=f"{FAILED} ({type(error).__name__})")


def _answered(port: Port, asked: Asked) -> Told:
    assert port.judges  # http_port() brings all three
    assert port.embedders
    assert port.services
    match asked.what:
        case "judge":
            return Told(answers=[*port.judges.ask(asked.model, asked.questions)])
        case "embed":
            return Told(vectors=[*port.embedders.embed(asked.model, asked.texts)])
        case "post":
            assert asked.service
            return Told(replies=[*port.services.post(asked.service, asked.bodies)])
