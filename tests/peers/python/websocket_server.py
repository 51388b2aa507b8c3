"""An echo by Python's websockets: python3 websocket_server.py PORT; says how each conversation was closed."""

import asyncio
import sys

import websockets


async def echo(socket):
    await (await socket.ping(b"first of all"))
    try:
        async for message in socket:
            half = len(message) // 2
            await socket.send([message[:half], message[half:]] if half else message)
    except websockets.ConnectionClosed:
        pass
    print("closed", socket.close_code, socket.close_reason, flush=True)


async def main(port):
    async with websockets.serve(echo, "127.0.0.1", port, max_size=2**22):
        print("listening", file=sys.stderr, flush=True)
        await asyncio.Future()


asyncio.run(main(int(sys.argv[1])))
