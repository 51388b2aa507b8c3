"""Text and frames in memory, as asyncio's transport gives them: see sample.ts."""

import asyncio
import json
import time

PIECE = 64 * 1024
COUNT = 50_000


async def feed(reader, part, count):
    """Feeds a piece whenever the reader has taken most of the last one."""
    stream = part * count
    for at in range(0, len(stream), PIECE):
        while len(reader._buffer) > len(part):
            await asyncio.sleep(0)
        reader.feed_data(stream[at : at + PIECE])
        await asyncio.sleep(0)
    reader.feed_eof()


def measure(run):
    for milliseconds in (100, 500):  # the first is for warming up
        runs = 0
        start = time.perf_counter()
        while time.perf_counter() - start < milliseconds / 1e3:
            count = asyncio.run(run())
            if count != COUNT:
                raise SystemExit(f"{count} were read, not {COUNT}")
            runs += 1
        rate = runs * COUNT / (time.perf_counter() - start)
    print(json.dumps({"rate": rate}))
