/**
 * A page that talks to a WebSocket server: to be looked at in a browser.
 *
 * @module
 */

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>WebSocket</title>
<h1>WebSocket</h1>
<form><input name="text" autofocus> <button>send</button> <button type="button">close</button></form>
<pre></pre>
<script>
const log = document.querySelector("pre");
const show = (line) => log.append(line + "\\n");
const socket = new WebSocket("ws://" + location.host + "/");
socket.binaryType = "arraybuffer";
const large = new Uint8Array(1024 * 1024).map((_, at) => at * 31 >> 5);
const sent = ["hello from the page", "ä \u{1f600}", "", large];
const faults = [];
socket.onopen = () => {
  show("connected");
  for (const message of sent) socket.send(message);
};
socket.onmessage = ({ data }) => {
  const bytes = typeof data === "string" ? undefined : new Uint8Array(data);
  show(bytes ? bytes.length + " bytes came back" : "came back: " + data);
  if (sent.length === 0) return;
  const message = sent.shift();
  const same = bytes ? bytes.length === message.length && bytes.every((byte, at) => byte === message[at])
    : data === message;
  if (!same) faults.push("not the same: " + data);
  // with #close after the address it does not wait for a person
  if (sent.length === 0 && location.hash === "#close") end();
};
const end = () => socket.close(4000, faults[0] || "all came back");
socket.onclose = ({ code, reason, wasClean }) => {
  show("closed with " + code + " " + reason + (wasClean ? "" : ": not in the proper way"));
};
document.querySelector("form").onsubmit = (event) => {
  event.preventDefault();
  socket.send(event.target.text.value);
  event.target.reset();
};
document.querySelector("[type=button]").onclick = end;
</script>
`;

/** The page. It may talk to its own server only, and load nothing. */
export function websocketPage(): Response {
  const policy = "default-src 'none'; script-src 'unsafe-inline'; connect-src 'self'";
  return new Response(PAGE, {
    statusText: "OK",
    headers: { "content-type": "text/html; charset=utf-8", "content-security-policy": policy },
  });
}
