#!/usr/bin/env python3
"""Makes fuzz/seeds, where fuzzing starts from, of the tests' data: one file for each kind of case."""

import base64
import json
import pathlib
import shutil

ROOT = pathlib.Path(__file__).resolve().parent.parent
CALLBACK = ROOT / "shared/callback/tests/data"
SEEDS = ROOT / "fuzz/seeds"

URL = "https://3psostorageacct.blob.core.windows.net/cert/pcnotifications-dispatch.microsoft.com.cer"
SIGNATURE = base64.b64encode(bytes(range(256))).decode()


def write(target, name, content):
    file = SEEDS / target / "".join(letter if letter.isalnum() or letter == "." else "-" for letter in name)[:60]
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def addresses():
    for case in json.loads((CALLBACK / "certificate-urls.json").read_text()):
        write("address", case["class"], case["url"].encode())


def headers():
    for case in json.loads((CALLBACK / "headers.json").read_text()):
        lines = {
            "authorization": ["Signature {signature}"],
            "x-ms-certificate-url": ["{url}"],
            "x-ms-signature-algorithm": ["rsa-sha256"],
        } | case["set"]
        text = "".join(f"{name}: {value}\n" for name, values in lines.items() for value in values)
        text = text.replace("{signature}", SIGNATURE).replace("{url}", URL)
        if "{" not in text:
            write("headers", f"{case['expected']} {case['why']}", (text + "\n{}").encode())


def bodies():
    for line in (ROOT / "shared/models/tests/data/webhook-events.jsonl").read_text().splitlines():
        event = json.loads(line)
        write("body", event["body"].get("EventName") or event["note"], json.dumps(event["body"]).encode())


def certificates():
    pem = (CALLBACK / "microsoft-chain/leaf-microsoft.com.pem").read_text()
    bare = "".join(pem.splitlines()[1:-1])
    write("certificate", "leaf.pem", pem.encode())
    write("certificate", "leaf.base64", bare.encode())
    write("certificate", "leaf.der", base64.b64decode(bare))


shutil.rmtree(SEEDS, ignore_errors=True)
addresses()
headers()
bodies()
certificates()
