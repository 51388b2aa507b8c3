"""The lecture's requests, and more, against the blog: python3 blog_client.py BLOG_URL"""

import sys

import requests

blog = sys.argv[1]
posts = blog + "/posts"

data = {"post_text": "Today, I started learning Python. Exciting!"}
r = requests.post(posts, data=data, timeout=10)
assert r.status_code == 201, r.text
post = blog + r.headers["LOCATION"]
first_tag = r.headers["etag"]
assert requests.post(posts, json={"post_text": "ä \" \u20ac \U0001f600"}, timeout=10).json()[
    "post_text"
] == "ä \" \u20ac \U0001f600"

r = requests.get(posts, params={"q": "learning python"}, timeout=10)
assert r and r.status_code == 200 and r.encoding in (None, "utf-8"), r.encoding
assert r.headers["Content-Type"] == r.headers["content-type"] == "application/json"
assert [each["post_text"] for each in r.json()] == [data["post_text"]]
assert len(requests.get(posts, timeout=10).json()) == 2
assert requests.head(posts, timeout=10).headers["content-length"] == str(
    len(requests.get(posts, timeout=10).content)
)

r = requests.put(post, data={"post_text": "some_updated_text"}, timeout=10)
assert r.status_code == 200 and r.json()["post_text"] == "some_updated_text", r.text
tag = r.headers["ETag"]
assert tag != first_tag
assert requests.get(post, headers={"If-None-Match": tag}, timeout=10).status_code == 304
assert requests.get(post, headers={"If-None-Match": f'"other", W/{tag}'}, timeout=10).status_code == 304
assert requests.get(post, headers={"If-None-Match": first_tag}, timeout=10).status_code == 200
r = requests.put(post, json={"post_text": "late"}, headers={"If-Match": first_tag}, timeout=10)
assert r.status_code == 412 and r.headers["content-type"] == "application/problem+json", r.text
assert requests.delete(post, headers={"If-Match": first_tag}, timeout=10).status_code == 412
assert requests.put(
    post, json={"post_text": "in time"}, headers={"If-Match": tag}, timeout=10
).status_code == 200

r = requests.post(posts, json={"post_text": "", "more": 1}, timeout=10)
assert r.status_code == 422, r.text
assert {each["pointer"] for each in r.json()["errors"]} == {"#/post_text", "#/more"}, r.text
assert requests.post(posts, data="{", headers={"Content-Type": "application/json"}, timeout=10).status_code == 400
r = requests.post(posts, data="<p>", headers={"Content-Type": "text/html"}, timeout=10)
assert r.status_code == 415 and "application/json" in r.headers["accept"], r.headers
assert requests.post(posts, files={"post_text": "in parts"}, timeout=10).status_code == 415
r = requests.patch(post, timeout=10)
assert r.status_code == 405 and "PUT" in r.headers["allow"], r.headers
assert requests.post(posts, data={"post_text": "x" * 20_000}, timeout=10).status_code == 413
assert requests.post(posts, data={"post_text": "x" * 5_000_000}, timeout=10).status_code == 413
pieces = (b"post_text=" + b"x" * 60_000 for _ in range(100))
r = requests.post(
    posts, data=pieces, headers={"Content-Type": "application/x-www-form-urlencoded"}, timeout=10
)
assert r.status_code == 413

assert requests.delete(post, timeout=10).status_code == 204
r = requests.get(post, timeout=10)
assert not r and r.status_code == 404 and r.json()["status"] == 404
try:
    requests.get(blog + "/delay/3", timeout=0.1)
    raise SystemExit("no timeout")
except requests.exceptions.Timeout:
    pass
print("all as it should be")
