"""paramiko as a client of our SSH server: says as JSON what it met."""

import contextlib
import json
import sys

import paramiko

port, password, key_file, wrong_key = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
met = {}


@contextlib.contextmanager
def connect(**options):
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    client.connect("127.0.0.1", port, "student", look_for_keys=False, allow_agent=False, **options)
    transport = client.get_transport()
    with client:
        yield client
    # the thread of a closed connection may be in the middle of a write, and the next socket gets the same number
    transport.join(30)


def refused(work):
    try:
        work()
        return "nothing was refused"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


with connect(password=password) as client:
    # as in the lecture
    stdin, stdout, stderr = client.exec_command("cut -d: -f1 /etc/passwd")
    met["users"] = stdout.read().decode().split()
    met["exit"] = stdout.channel.recv_exit_status()
    stdin, stdout, stderr = client.exec_command("cat /nowhere -")
    stdin.write("from stdin")
    stdin.channel.shutdown_write()
    met["stdout"], met["stderr"] = stdout.read().decode(), stderr.read().decode()
    met["failed"] = stdout.channel.recv_exit_status()

    transport = client.get_transport()
    channels = [transport.open_session() for _ in range(8)]
    for number, channel in enumerate(channels):
        channel.exec_command(f"echo {number}")
    met["several"] = [channel.makefile().read().decode() for channel in channels]
    for channel in channels:
        channel.close()

    # more than may be open at once, one after another: none may stay behind
    for _ in range(30):
        transport.open_session().close()

    stdin, stdout, stderr = client.exec_command("sleep 600")
    message = paramiko.Message()
    message.add_byte(paramiko.common.cMSG_CHANNEL_REQUEST)
    message.add_int(stdout.channel.remote_chanid)
    message.add_string("signal")
    message.add_boolean(False)
    message.add_string("TERM")
    stdin.channel.shutdown_write()
    transport._send_user_message(message)
    met["after a signal"] = stdout.read().decode()
    met["its exit"] = stdout.channel.recv_exit_status()

    # one program per session: what comes later is refused, and not left without an answer
    channel = transport.open_session()
    channel.exec_command("cat")
    met["late"] = refused(lambda: channel.exec_command("echo twice"))
    channel = transport.open_session()
    channel.exec_command("cat")
    met["late variable"] = refused(lambda: channel.set_environment_variable("NAME", "value"))

    met["pty"] = refused(lambda: transport.open_session().get_pty())
    met["sftp"] = refused(client.open_sftp)
    met["forward"] = refused(lambda: transport.request_port_forward("127.0.0.1", 0))
    met["tcpip"] = refused(
        lambda: transport.open_channel("direct-tcpip", ("127.0.0.1", 22), ("127.0.0.1", 1))
    )

with connect(key_filename=key_file) as client:
    met["by key"] = client.exec_command("echo by key")[1].read().decode()

# a key that is not known, then the password, on one connection
with connect(key_filename=wrong_key, password=password) as client:
    met["second try"] = client.exec_command("echo second try")[1].read().decode()

transport = paramiko.Transport(("127.0.0.1", port))
transport.start_client()
met["wrong passwords"] = [
    refused(lambda: transport.auth_password("student", "wrong")).split(":")[0] for _ in range(4)
]
transport.close()
print(json.dumps(met))
