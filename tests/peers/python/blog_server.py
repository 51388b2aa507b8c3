"""A blog with Python's http.server, as far as scripts/http/requests.ts asks: python3 blog_server.py PORT"""

import hashlib
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

posts = {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, value=None, headers={}):
        body = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        if value is not None:
            self.send_header("CONTENT-TYPE", "application/json")
        for name, text in headers.items():
            self.send_header(name, text)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def post_text(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.headers["Content-Type"].startswith("application/json"):
            return json.loads(body).get("post_text")
        return parse_qs(body).get("post_text", [None])[0]

    def tag(self, post):
        return '"' + hashlib.sha1(json.dumps(post).encode()).hexdigest() + '"'

    def found(self):
        return posts.get(urlsplit(self.path).path)

    def do_GET(self):
        url = urlsplit(self.path)
        if url.path == "/posts":
            wanted = parse_qs(url.query).get("q", [""])[0]
            return self.answer(200, [p for p in posts.values() if wanted in p["post_text"]])
        if url.path == "/delay/5":
            time.sleep(1)
            return self.answer(200, "late")
        post = self.found()
        if not post:
            return self.answer(404, {"detail": "no"})
        if self.headers.get("If-None-Match") == self.tag(post):
            return self.answer(304, headers={"ETag": self.tag(post)})
        self.answer(200, post, {"ETag": self.tag(post)})

    def do_POST(self):
        text = self.post_text()
        if not text:
            errors = [{"pointer": "#/post_text", "detail": "is missing"}]
            return self.answer(422, {"errors": errors})
        path = f"/posts/{len(posts) + 1}"
        posts[path] = post = {"id": len(posts) + 1, "post_text": text}
        self.answer(201, post, {"ETag": self.tag(post), "Location": path})

    def do_PUT(self):
        text = self.post_text()
        post = self.found()
        if "If-Match" in self.headers and self.headers["If-Match"] != self.tag(post):
            return self.answer(412, {})
        post["post_text"] = text
        self.answer(200, post, {"ETag": self.tag(post)})

    def do_DELETE(self):
        del posts[self.path]
        self.answer(204)


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
server.daemon_threads = True
print("listening", file=sys.stderr, flush=True)
server.serve_forever()
