"""Lines as strings, in memory, with asyncio's readline."""

import asyncio

from sample import COUNT, feed, measure


async def run():
    reader = asyncio.StreamReader(limit=1 << 20)
    feeding = asyncio.create_task(feed(reader, b"x" * 79 + b"\n", COUNT))
    count = 0
    while line := await reader.readline():
        count += len(line.decode()) == 80
    await feeding
    return count


measure(run)
