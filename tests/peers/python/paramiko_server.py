"""paramiko's SSH server: HOST_KEY password|keyboard-interactive PASSWORD. Its only command says the command
line and what it has read, and ends with code 5."""

import socket
import sys
import threading

import paramiko

host_key_file, way, password = sys.argv[1:]
host_key = paramiko.ECDSAKey(filename=host_key_file)


class Server(paramiko.ServerInterface):
    def get_allowed_auths(self, username):
        return way

    def judge(self, secret):
        return paramiko.AUTH_SUCCESSFUL if secret == password else paramiko.AUTH_FAILED

    def check_auth_password(self, username, secret):
        return self.judge(secret) if way == "password" else paramiko.AUTH_FAILED

    def check_auth_interactive(self, username, submethods):
        if way == "password":
            return paramiko.AUTH_FAILED
        return paramiko.InteractiveQuery("hello", "please", ("Password: ", False))

    def check_auth_interactive_response(self, responses):
        return self.judge(responses[0])

    def check_channel_request(self, kind, channel_id):
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel, command):
        threading.Thread(target=self.work, args=(channel, command), daemon=True).start()
        return True

    def work(self, channel, command):
        read = channel.makefile("rb").read()
        channel.sendall(command + b" " + read + b"\n")
        channel.send_exit_status(5)
        channel.close()


listener = socket.create_server(("127.0.0.1", 0))
print(f"listening on {listener.getsockname()[1]}", file=sys.stderr, flush=True)
while True:
    connection, _ = listener.accept()
    transport = paramiko.Transport(connection)
    transport.add_server_key(host_key)
    try:
        transport.start_server(server=Server())
    except (EOFError, paramiko.SSHException):
        pass
