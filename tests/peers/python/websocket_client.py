"""Python's websockets against our server: python3 websocket_client.py URL"""

import asyncio
import os
import sys

import websockets


async def main(url):
    async with websockets.connect(url, max_size=2**22, ping_interval=None) as socket:
        for message in ["hello", "", "ä € 😀", b"", bytes(range(256)), "x" * 125, "x" * 126,
                        "x" * 65535, "x" * 65536, os.urandom(2**20), os.urandom(2**21)]:
            await socket.send(message)
            assert await socket.recv() == message, len(message)
        await socket.send(["in ", "three ", "pieces"])
        assert await socket.recv() == "in three pieces"
        await (await socket.ping(b"are you there?"))
        await socket.send([b"a", b"b" * 2**20])
        assert await socket.recv() == b"a" + b"b" * 2**20
        await socket.close(4321, "good-bye ä")
    assert (socket.close_code, socket.close_reason) == (4321, "good-bye ä"), socket.close_code

    async with websockets.connect(url, compression="deflate", ping_interval=None) as socket:
        assert socket.extensions == [], "nobody agreed on compression"
        await socket.send("not compressed")
        assert await socket.recv() == "not compressed"

    async with websockets.connect(url, ping_interval=None) as socket:
        try:
            await socket.send(b"x" * (2**21 + 1))
            await socket.recv()
            raise SystemExit("too long, and taken")
        except websockets.ConnectionClosedError as error:
            assert error.rcvd.code == 1009, error

    try:
        await websockets.connect(url, origin="http://evil.example")
        raise SystemExit("a page of another site may connect")
    except websockets.InvalidStatusCode as error:
        assert error.status_code == 403, error

    sockets = [await websockets.connect(url, ping_interval=None) for _ in range(50)]
    await asyncio.gather(*(socket.send(str(n)) for n, socket in enumerate(sockets)))
    assert [await socket.recv() for socket in sockets] == [str(n) for n in range(50)]
    await asyncio.gather(*(socket.close() for socket in sockets))
    print("all as it should be")


asyncio.run(main(sys.argv[1]))
