"""Length-prefixed frames, in memory, with asyncio's readexactly."""

import asyncio
import sys

from sample import COUNT, feed, measure

SIZE = int(sys.argv[1])


async def run():
    reader = asyncio.StreamReader(limit=1 << 20)
    frame = SIZE.to_bytes(4, "big") + b"\7" * SIZE
    feeding = asyncio.create_task(feed(reader, frame, COUNT))
    count = 0
    try:
        while header := await reader.readexactly(4):
            await reader.readexactly(int.from_bytes(header, "big"))
            count += 1
    except asyncio.IncompleteReadError:
        pass
    await feeding
    return count


measure(run)
