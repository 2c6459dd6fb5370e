"""A web application that keeps its data in etcd: ``uvicorn shim._app:app``, with ETCD_ENDPOINT set."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import StreamingResponse

from etcetra_trio.asyncio import EtcdClient

etcd = EtcdClient(os.environ["ETCD_ENDPOINT"], namespace="/app/")


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
    async with etcd.connect():  # say early if there is no etcd
        yield
    await etcd.aclose()


app = FastAPI(lifespan=lifespan)


@app.get("/keys/{key}")
async def read(key: str) -> str:
    async with etcd.connect() as communicator:
        value = await communicator.get(key)
    if value is None:
        raise HTTPException(404)
    return value


@app.put("/keys/{key}")
async def write(key: str, request: Request) -> None:
    async with etcd.connect() as communicator:
        await communicator.put(key, await request.body())


@app.get("/watch/{prefix}")
async def watch(prefix: str) -> StreamingResponse:
    async def events() -> AsyncGenerator[str]:
        async with etcd.connect() as communicator, communicator.watch_prefix(prefix) as changes:
            yield ": watching\n\n"
            async for event in changes:
                yield f"event: {event.event.name}\ndata: {event.key}={event.value}\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


@app.post("/count/{key}")
async def count(key: str) -> int:
    async with etcd.with_lock(f"count {key}", timeout=60) as communicator:
        number = int(await communicator.get(key) or 0) + 1
        await communicator.put(key, str(number))
        return number
