"""pywinrm against a server: prints what it gets as JSON, a line each.

winrm_client.py https://127.0.0.1:5986 ca.pem user password CASE
"""

import base64
import json
import sys

import winrm
from winrm.exceptions import InvalidCredentialsError, WinRMError
from winrm.protocol import Protocol

url, ca, user, password, case = sys.argv[1:]
PLACE = {"transport": "ssl", "ca_trust_path": ca} if url.startswith("https") else {"transport": "plaintext"}


def tell(**values):
    print(json.dumps(values), flush=True)


def tell_response(response):
    tell(code=response.status_code, out=text(response.std_out), err=text(response.std_err))


def text(value):
    return value.decode("utf-8") if isinstance(value, bytes) else value


def session():
    return winrm.Session(url, auth=(user, password), **PLACE)


def protocol(**more):
    return Protocol(endpoint=url + "/wsman", username=user, password=password, **PLACE, **more)


def run(client, shell, command, arguments=(), stdin=None):
    """Runs a command in a shell; pywinrm 0.4 has no Send of its own, so the message is made here."""
    started = client.run_command(shell, command, arguments, console_mode_stdin=False)
    for piece in [] if stdin is None else [*stdin, None]:
        request = {"env:Envelope": client._get_soap_header(
            resource_uri="http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd",
            action="http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Send",
            shell_id=shell)}
        stream = {"@Name": "stdin", "@CommandId": started}
        if piece is None:
            stream["@End"] = "true"
        else:
            stream["#text"] = base64.b64encode(piece).decode("ascii")
        request["env:Envelope"]["env:Body"] = {"rsp:Send": {"rsp:Stream": stream}}
        import xmltodict
        client.send_message(xmltodict.unparse(request))
    out, err, code = client.get_command_output(shell, started)
    client.cleanup_command(shell, started)
    return code, out, err


if case == "session":
    tell_response(session().run_cmd("echo", ["one", "'<two> & \"three\" ä €'"]))
    tell_response(session().run_cmd("cat /nowhere"))
    tell_response(session().run_cmd("sh -c 'exit 7'"))
elif case == "powershell":
    tell_response(session().run_ps("echo 'naïve <€>'"))
    # run_ps itself fails for what comes on stderr: pywinrm 0.4.3 compares bytes with str
    script = base64.b64encode("echo a | sort".encode("utf_16_le")).decode("ascii")
    response = session().run_cmd("powershell -encodedcommand " + script)
    cleaned = session()._clean_error_msg(response.std_err.decode("utf-8"))
    tell(code=response.status_code, out=text(response.std_out), err=cleaned)
elif case == "protocol":
    client = protocol(read_timeout_sec=10, operation_timeout_sec=1)
    shell = client.open_shell(codepage=65001)
    code, out, err = run(client, shell, "sort", stdin=["pear\nap".encode(), "ple ä\n".encode()])
    tell(code=code, out=text(out), err=text(err))
    # longer than the operation timeout: pywinrm has to ask again
    code, out, err = run(client, shell, "sh -c 'sleep 1.5; echo late'")
    tell(code=code, out=text(out), err=text(err))
    code, out, err = run(client, shell, "head -c 1000000 /dev/zero")
    tell(code=code, length=len(out), err=text(err))
    client.close_shell(shell)
    for what in (lambda: client.close_shell(shell), lambda: client.run_command(shell, "echo")):
        try:
            what()
            tell(fault=None)
        except WinRMError as error:
            tell(fault=str(error))
elif case == "texts":
    client = protocol()
    shell = client.open_shell(codepage=65001)
    for word in json.load(sys.stdin):
        quoted = "'" + word.replace("'", "'\\''") + "'"
        code, out, err = run(client, shell, "printf %s " + quoted)
        tell(code=code, out=text(out), err=text(err))
    client.close_shell(shell)
elif case == "login":
    try:
        session().run_cmd("echo")
        tell(error=None)
    except InvalidCredentialsError as error:
        tell(error=str(error))
elif case == "trust":
    try:
        session().run_cmd("echo")
        tell(error=None)
    except Exception as error:
        tell(error=str(error))
