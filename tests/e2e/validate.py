#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""validate.py SCHEMA FILE...: prints "good NAME" or "bad NAME: why" for each settings file, and for
each block of YAML in a document (.md) that is one: with a plugin, or the line that names a schema."""
import json
import re
import sys

import jsonschema
import yaml


def texts(path):
    """What is to be validated in the file, with a name for each."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if not path.endswith(".md"):
        return [(path, text)]
    blocks = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    is_settings = re.compile(r"\bplugin:|yaml-language-server").search
    return [(f"{path}:{i + 1}", block) for i, block in enumerate(blocks) if is_settings(block)]


def fault(validator, text):
    """Why it is no valid settings file; None: it is one."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        return str(error)
    error = jsonschema.exceptions.best_match(validator.iter_errors(value))
    return error and error.message


def main(schema_path, *paths):
    with open(schema_path, encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    for path in paths:
        for name, text in texts(path):
            why = fault(validator, text)
            print(f"bad {name}: {why.splitlines()[0]}" if why else f"good {name}")


main(*sys.argv[1:])
