"""One function on the lab: its gateway, its pool, its truth."""

import asyncio
import json
from pathlib import Path
from random import Random

import aiohttp
from aiohttp import web
from msgspec import Struct

from coldbench.core.function_spec import FunctionSpec
from coldbench.core.verdict import Verdict
from coldbench.evidence.platforms import platforms
from coldbench.lab import http_contract
from coldbench.lab.call import Answer, Call, InstanceLost, StartFailed
from coldbench.lab.clock import now_us
from coldbench.lab.evidence import outgoing, said
from coldbench.lab.http_contract import Ports
from coldbench.lab.instance import INIT_TIMEOUT_S, Instance
from coldbench.lab.launch import Contract, Launch
from coldbench.lab.network import answer_way_s, request_way_s
from coldbench.lab.placement import draw_s
from coldbench.lab.pool import Pool
from coldbench.lab.runtime_api import RuntimeApi
from coldbench.lab.spawning import Spawner
from coldbench.lab.truth import Served, Truth

_ID = "X-Coldbench-Id"


class Platform(Struct, frozen=True, kw_only=True):
    """What all functions of a lab share; `folder` is for its own small files."""

    spawner: Spawner
    session: aiohttp.ClientSession
    ports: Ports
    folder: Path


class Function:
    """Takes requests and answers them from instances."""

    def __init__(self, spec: FunctionSpec, how: Launch, platform: Platform) -> None:
        self._spec = spec
        self._how = how
        self._platform = platform
        self._random = Random(spec.seed)
        self._network = Random(f"network {spec.seed}")
        self._far = bool(spec.round_trip_ns or spec.jitter_ns)
        self._name = f"{spec.runtime}/{Path(spec.folder).name}"
        self._dialect = None if spec.dialect is None else platforms()[spec.dialect]
        self._truth = Truth(spec.truth, self._name) if spec.truth else None
        self._apis: dict[Instance, RuntimeApi] = {}
        self._port_of: dict[Instance, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._pool = Pool(spec, self._start)

    def connected(self) -> None:
        """A caller has made a connection, and sent nothing yet."""
        if self._spec.wake_on_connect:
            self._pool.wake()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """aiohttp's handler: one request of a caller."""
        if self._far:
            await asyncio.sleep(request_way_s(self._spec, self._network))
        arrival_us = now_us()
        call = Call(
            method=request.method,
            path=request.raw_path,
            headers=list(request.headers.items()),
            # Not `request.read()`, which refuses more than a megabyte.
            body=await request.content.read(),
            arrival_us=arrival_us,
            client=request.remote or "",
        )
        answer, served = await self._serve(call)
        if self._truth is not None:
            identity = request.headers.get(_ID)
            if served is not None:
                self._truth.served(identity, served)
            else:
                self._truth.failed(identity, Verdict.START_FAILED, arrival_us, now_us())
        if self._far:
            await asyncio.sleep(answer_way_s(self._spec))
        headers = outgoing(answer, served, self._spec.evidence, self._dialect, self._spec.billing_ns)
        return web.Response(status=answer.status, headers=headers, body=answer.body)

    async def _serve(self, call: Call) -> tuple[Answer, Served | None]:
        try:
            use = await self._pool.acquire()
        except StartFailed as failure:
            return _failed("start_failed", "Runtime.InitError", str(failure)), None
        instance = use.instance
        if use.number > 1:
            # The order of first contact is the same for the instance as for us.
            await instance.first_handed.wait()
        handed_us = now_us()
        try:
            answer = await instance.or_gone(self._carry(instance, call))
        except InstanceLost as lost:
            answer = _failed("instance_lost", "Runtime.ExitError", str(lost))
        finally:
            instance.first_handed.set()
            self._pool.release(instance)
        answered_us = now_us()
        own = said(answer)
        number = use.number
        if max(self._spec.concurrency, self._spec.workers) > 1 and own.seq is not None:
            # Which of several calls at once an instance took up first, or which process, only it can know.
            number = own.seq
        return answer, Served(
            instance=instance,
            number=number,
            arrival_us=call.arrival_us,
            answered_us=answered_us,
            exec_ms=(answered_us - handed_us) / 1e3 if own.exec_ms is None else own.exec_ms,
        )

    async def _carry(self, instance: Instance, call: Call) -> Answer:
        if instance.gone.done():  # while the call waited for its turn
            raise InstanceLost(instance.gone.result())
        if self._how.contract is Contract.RUNTIME_API:
            return await self._apis[instance].carry(call)
        return await http_contract.carry(self._platform.session, instance, self._port_of[instance], call)

    def _start(self) -> Instance:
        """The pool wants one more."""
        instance = Instance(self._spec, self._how, self._platform.spawner, self._platform.folder)
        task = asyncio.get_running_loop().create_task(self._bring_up(instance))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return instance

    async def _bring_up(self, instance: Instance) -> None:
        delay_s = draw_s(self._spec.start, self._random)
        if delay_s:
            await asyncio.sleep(delay_s)
        if self._how.contract is Contract.RUNTIME_API:
            api = self._apis[instance] = RuntimeApi(instance, self._name, lambda: self._ready(instance))
            instance.spawn(await api.open(), on_ready=lambda: None, on_exit=lambda w: self._gone(instance, w))
        else:
            port = self._port_of[instance] = self._platform.ports.take()
            instance.spawn(
                port, on_ready=lambda: self._ready(instance), on_exit=lambda w: self._gone(instance, w)
            )
            await http_contract.listening(instance, port)
            if not instance.gone.done():
                self._ready(instance)
        await asyncio.sleep(INIT_TIMEOUT_S)
        if instance.ready_us is None:
            instance.kill()

    def _ready(self, instance: Instance) -> None:
        instance.seen_ready()
        self._pool.became_ready(instance)

    def _gone(self, instance: Instance, words: str) -> None:
        self._port_of.pop(instance, None)
        api = self._apis.pop(instance, None)
        if api is not None:
            words = api.init_error or words
            task = asyncio.get_running_loop().create_task(api.close())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._pool.ended(instance, words)


def _failed(failure: str, kind: str, words: str) -> Answer:
    """What went wrong, as Lambda writes it: the process's last line is the message, all are the trace."""
    trace = words.strip().splitlines() or [""]
    error = {"errorType": kind, "errorMessage": trace[-1], "stackTrace": trace}
    body = json.dumps(error).encode()
    return Answer(status=502, headers=[("Content-Type", "application/json")], body=body, failure=failure)
