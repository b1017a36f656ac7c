#!/usr/bin/env python3
"""What people write by hand: aiohttp, 64 requests at once, a record or a batch each. `peer.py FILE URL RECORDS_A_REQUEST`."""

import asyncio
import sys

import aiohttp

try:
    from orjson import dumps, loads
except ImportError:
    import json

    def dumps(value):
        return json.dumps(value, separators=(",", ":")).encode()

    loads = json.loads

try:
    from uvloop import run
except ImportError:
    from asyncio import run


def bodies(file, size):
    batch = []
    for line in file:
        record = loads(line)
        if size == 1:
            yield dumps(record)
            continue
        batch.append(record)
        if len(batch) == size:
            yield dumps(batch)
            batch = []
    if batch:
        yield dumps(batch)


async def main(path, url, size):
    headers = {"content-type": "application/json"}
    connector = aiohttp.TCPConnector(limit=64)
    with open(path, "rb") as file:
        waiting = bodies(file, size)
        async with aiohttp.ClientSession(connector=connector, headers=headers) as session:

            async def send():
                for body in waiting:
                    async with session.post(url, data=body) as reply:
                        reply.raise_for_status()
                        await reply.read()

            await asyncio.gather(*(send() for _ in range(64)))


run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
