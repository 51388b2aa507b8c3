"""The echo service over UDP with Python's asyncio."""

import asyncio

from parent import end_with_parent


class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.transport.sendto(data, addr)


async def main():
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    print(f"listening on 127.0.0.1:{transport.get_extra_info('sockname')[1]}", flush=True)
    end_with_parent()
    await asyncio.Event().wait()


asyncio.run(main())
