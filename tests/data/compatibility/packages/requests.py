import json
import sys

import requests

facts = json.load(sys.stdin)
with open("/tmp/authority.pem", "w") as file:
    file.write(facts["authority"])


def refusal(url, **options):
    """Return the kind of exception, or the status that came instead."""
    try:
        return requests.get(url, timeout=20, **options).status_code
    except requests.RequestException as error:
        return type(error).__name__


plain, secure = facts["plain"], facts["secure"]
with requests.Session() as session:
    session.verify = "/tmp/authority.pem"
    session.headers["X-Own"] = "Grüße".encode()
    page = session.get(f"{secure}/a", params={"q": "å b"}, timeout=20)
    again = session.get(f"{secure}/b", timeout=20)
    posted = session.post(f"{secure}/c", json={"n": 1}, timeout=20)
    large = session.post(f"{plain}/d", data=b"x" * 300_000, timeout=20)
    with session.get(f"{secure}/e", stream=True, timeout=20) as stream:
        streamed = b"".join(stream.iter_content(3)).decode()

print(
    json.dumps(
        {
            "page": [page.status_code, page.text],
            "again": again.text,
            "posted": posted.json(),
            "large": [large.status_code, len(large.content)],
            "streamed": streamed,
            "without the authority": refusal(f"{secure}/"),
            "another host": refusal(facts["other"].replace("http:", "https:")),
            "another host, plain": refusal(facts["other"]),
            "around the proxy": refusal(f"{plain}/", proxies={"http": "", "https": ""}),
        }
    )
)
