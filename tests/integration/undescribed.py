#!/usr/bin/python3
"""Ends with 1 if a described answer was produced by none of the integration tests: undescribed.py FOLDER

The folder is the one that the tests were given as CI_MONITOR_ANSWERS; it must hold the reports of one whole run."""

import json
import sys
from pathlib import Path


def main(folder):
    tests = Path(__file__).resolve().parent
    reports = [json.loads(path.read_text()) for path in Path(folder).glob("*.json") if (tests / path.stem).exists()]
    described = {tuple(pair) for report in reports for pair in report["described"]}
    seen = {tuple(pair) for report in reports for pair in report["seen"]}
    missing = sorted(described - seen)
    print(f"{len(described & seen)} of {len(described)} described answers were produced, by {len(reports)} test files")
    for operation, status in missing:
        print(f"no test produced: {operation} -> {status}")
    return 1 if missing or not described else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
