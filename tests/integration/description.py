"""The service's answers held against its own description, `GET /openapi.json`.

Answers are collected while a test runs and checked when it is over, so that checking costs no test its timing. What was
produced goes into the folder CI_MONITOR_ANSWERS, if set; `undescribed.py` looks there for what no test produced.
"""

import copy
import json
import os
import re
import threading
from pathlib import Path

from jsonschema import Draft202012Validator, FormatChecker, RefResolver
from jsonschema.validators import extend

# What any path may answer, known to the description or not: limits, and paths or methods that it does not have.
ANYWHERE = {400, 404, 405, 413, 414, 429, 431, 503}
PROBLEM = {"$ref": "#/components/schemas/Problem"}


def only_known_keys(node):
    """In the tests an object has no key that is not described; clients must bear with more."""
    if isinstance(node, dict):
        if "properties" in node and "additionalProperties" not in node:
            node["additionalProperties"] = False
        for value in node.values():
            only_known_keys(value)
    elif isinstance(node, list):
        for value in node:
            only_known_keys(value)


def validator_class():
    """JSON Schema 2020-12 that remembers what was right: most of a dashboard is the same as in the one before."""
    follow = Draft202012Validator.VALIDATORS["$ref"]
    right = set()

    def reference(validator, ref, instance, schema):
        key = (ref, json.dumps(instance, sort_keys=True))
        if key in right:
            return
        errors = list(follow(validator, ref, instance, schema))
        if not errors:
            right.add(key)
        yield from errors
    return extend(Draft202012Validator, {"$ref": reference})


class Operation:
    def __init__(self, method, path, described):
        self.name = f"{method.upper()} {path}"
        self.method, self.path, self.described = method.upper(), path, described
        several = {parameter["name"] for parameter in described.get("parameters", []) if parameter.get("x-several-segments")}
        parts = re.split(r"\{([^}]*)\}", path)
        self.pattern = re.compile("".join(
            re.escape(part) if i % 2 == 0 else (".+" if part in several else "[^/]+") for i, part in enumerate(parts)))
        self.literal = sum(len(part) for part in parts[::2])


class Description:
    """One service's description, and what it is to be held against."""

    def __init__(self, document):
        self.document = copy.deepcopy(document)
        only_known_keys(self.document["components"]["schemas"])
        only_known_keys(self.document["paths"])
        self.operations = [Operation(method, path, described) for path, methods in self.document["paths"].items()
                           for method, described in methods.items()]
        self.operations.sort(key=lambda operation: -operation.literal)
        self.make = validator_class()
        self.resolver = RefResolver("", self.document)

    def everything(self):
        """Every described (operation, status)."""
        return [(operation.name, int(status)) for operation in self.operations
                for status in operation.described["responses"]]

    def find(self, method, target):
        """The operation and whether the path exists at all. HEAD works wherever GET does."""
        path = target.partition("?")[0]
        fitting = [operation for operation in self.operations if operation.pattern.fullmatch(path)]
        wanted = "GET" if method == "HEAD" else method
        return next((operation for operation in fitting if operation.method == wanted), None), bool(fitting)

    def complaints(self, method, target, answer):
        """The operation's name and what is wrong."""
        operation, known = self.find(method, target)
        wrong = [] if "Date" in answer.headers else ["no Date header"]
        if operation is None:
            return None, wrong + self.unknown_complaints(answer, known)
        response = operation.described["responses"].get(str(answer.status))
        if response is None:
            return operation.name, wrong + ["this status is not described"]
        wrong += self.header_complaints(response, answer)
        if method != "HEAD":
            wrong += self.content_complaints(response, answer)
        return operation.name, wrong

    def unknown_complaints(self, answer, known):
        if answer.status not in ANYWHERE or known and answer.status == 404 and not answer.body:
            return ["nothing at this path is described with that status"]
        wrong = [] if answer.status != 405 or "Allow" in answer.headers else ["405 without Allow"]
        return wrong + (self.schema_complaints(PROBLEM, answer) if answer.body else [])

    def header_complaints(self, response, answer):
        wrong = []
        for name, header in response.get("headers", {}).items():
            if "$ref" in header:
                header = self.resolver.resolve(header["$ref"])[1]
            value = answer.headers.get(name)
            if value is None:
                wrong += [f"no {name} header"] if header.get("required") else []
                continue
            if header["schema"].get("type") == "integer" and value.isdigit():
                value = int(value)
            wrong += [f"{name}: {error.message}" for error in self.errors(header["schema"], value)]
        return wrong

    def content_complaints(self, response, answer):
        content = response.get("content")
        if not content:
            return ["a body where none is described"] if answer.body else []
        media_type = answer.headers.get("Content-Type", "").partition(";")[0]
        described = content.get(media_type, content.get("*/*"))
        if described is None:
            return [f"content type {media_type!r} is not described"]
        return self.schema_complaints(described["schema"], answer) if media_type.endswith("json") else []

    def schema_complaints(self, schema, answer):
        try:
            value = json.loads(answer.body)
        except ValueError as error:
            return [f"no JSON: {error}"]
        return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:500]}" for error in self.errors(schema, value)]

    def errors(self, schema, value):
        return list(self.make(schema, resolver=self.resolver, format_checker=FormatChecker()).iter_errors(value))


class Collected:
    """The answers of one test, of however many services, threads and starts."""

    def __init__(self):
        self.lock = threading.Lock()
        self.descriptions = {}  # by address
        self.answers = {}
        self.headers = set()  # (name, value) of any answer: of two with the same body, answers holds the first alone

    def describe(self, address, document):
        with self.lock:
            self.descriptions[address] = Description(document)

    def add(self, address, method, target, answer):
        """Any thread. Answers that no description belongs to are let go."""
        with self.lock:
            description = self.descriptions.get(address)
            if description is not None:
                self.answers.setdefault((method, target, answer.status, answer.body), (description, answer))
                self.headers.update(answer.headers.items())

    def not_done(self):
        """Described operations that did for no client what they are for: none had an answer below 400."""
        done = {description.find(method, target)[0] for (method, target, status, _), (description, _) in self.answers.items()
                if status < 400}
        return {operation.name for description in self.descriptions.values() for operation in description.operations} \
            - {operation.name for operation in done if operation is not None}

    def check(self):
        """What is wrong with the answers, as texts; reports what was produced."""
        wrong, seen, described = [], set(), []
        for (method, target, status, _), (description, answer) in self.answers.items():
            operation, complaints = description.complaints(method, target, answer)
            if operation is not None:
                seen.add((operation, status))
            wrong += [f"{method} {target} -> {status}: {complaint}; {answer!r}" for complaint in complaints]
        for description in self.descriptions.values():
            described = description.everything()
        self.descriptions, self.answers, self.headers = {}, {}, set()
        report(seen, described)
        return wrong


def report_path(module):
    folder = os.environ.get("CI_MONITOR_ANSWERS")
    return Path(folder) / f"{module}.json" if folder else None


def report(seen, described):
    """Adds to what the tests of this file have produced."""
    path = report_path(os.environ.get("PYTEST_CURRENT_TEST", "none").partition("::")[0].rpartition("/")[2])
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    before = json.loads(path.read_text()) if path.exists() else {"seen": [], "described": []}
    path.write_text(json.dumps({"seen": sorted({tuple(pair) for pair in before["seen"]} | seen),
                                "described": described or before["described"]}))


collected = Collected()
