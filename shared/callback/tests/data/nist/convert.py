#!/usr/bin/env python3
"""Makes signatures.json of NIST's response files: convert.py <folder asymmetric/RSA of cryptography_vectors>.

Each signature keeps the number that it has in its file, counted from 1. Private numbers and salts are left out.
"""

import base64
import itertools
import json
import pathlib
import sys

# The file, the hashes that are taken from it, and the verdict on signatures of a file that gives none.
FILES = [
    ("FIPS_186-2/SigVer15_186-3.rsp", {"SHA1", "SHA224", "SHA256", "SHA384", "SHA512"}, None),
    ("SigVer15EMTest.txt", {"SHA1", "SHA224", "SHA256", "SHA384", "SHA512"}, None),
    ("FIPS_186-2/SigGen15_186-2.rsp", {"SHA256"}, "P (published as an example)"),
]


def without_leading_zeros(digits):
    digits = digits.lstrip("0")
    return "0" * (len(digits) % 2) + digits


def digits64(digits):
    return base64.b64encode(bytes.fromhex(digits)).decode()


def signatures(path, hashes, verdict):
    """The modulus and the rest of each signature of a file, in the file's order."""
    last = "Result" if verdict is None else "S"
    fields, number = {}, 0
    for line in path.read_text(encoding="ascii", errors="strict").splitlines():
        name, equals, value = line.partition("=")
        if line.startswith(("#", "[")) or not equals:
            continue
        fields[name.strip()] = value.strip()
        if name.strip() != last:
            continue
        number += 1
        if fields["SHAAlg"] not in hashes:
            continue
        result, _, comment = (verdict or fields["Result"]).partition(" ")
        yield digits64(without_leading_zeros(fields["n"])), {
            "number": number,
            "hash": fields["SHAAlg"].replace("SHA", "SHA-"),
            "exponent": digits64(without_leading_zeros(fields["e"])),
            "message": digits64(fields["Msg"]),
            "signature": digits64(fields["S"]),
            "valid": {"P": True, "F": False}[result],
            "comment": comment.strip("() "),
        }


def main():
    folder = pathlib.Path(sys.argv[1])
    groups = []
    for name, hashes, verdict in FILES:
        path = folder / name
        for modulus, rows in itertools.groupby(signatures(path, hashes, verdict), key=lambda row: row[0]):
            head = json.dumps({"file": path.stem, "modulus": modulus})[:-1]
            lines = ",\n".join(json.dumps(row) for _, row in rows)
            groups.append(f'{head}, "signatures": [\n{lines}\n]}}')
    target = pathlib.Path(__file__).with_name("signatures.json")
    target.write_text("[\n" + ",\n".join(groups) + "\n]\n", encoding="ascii")


main()
