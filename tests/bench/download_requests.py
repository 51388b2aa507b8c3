"""Downloads with requests, in pieces, as its manual advises for large files: URL FILE."""

import sys

import requests

url, path = sys.argv[1:]
session = requests.Session()
session.trust_env = False
with session.get(url, stream=True) as response:
    response.raise_for_status()
    with open(path, "wb") as file:
        for piece in response.iter_content(64 * 1024):
            file.write(piece)
