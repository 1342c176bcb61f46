#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The libiommu authors
"""Writes, for each public function, a call whose first handle is NULL and whose other arguments are good.

usage: null-table.py <include directory> <symbol map> <output>
"""
import pathlib
import re
import sys

COMMENT = re.compile(r"/\*.*?\*/", re.S)
PROTOTYPE = re.compile(r"LIBIOMMU_API\s+([\w\s*]*?)\b(libiommu_\w+)\s*\(([^;]*)\)\s*;", re.S)


def argument(parameter, opaque, first):
    """A good value for a parameter, or NULL where it is the handle in question."""
    struct = re.match(r"(?:const )?struct (libiommu_\w+) \*+", parameter)
    if first:
        return "NULL"
    if struct and struct.group(1) in opaque and "**" not in parameter:
        return "NULL"
    if parameter.startswith("const char *"):
        return '"x"'
    if "*" in parameter:
        return "(void *)scratch"
    if re.match(r"libiommu_\w+_fn ", parameter):
        return "NULL"
    enum = re.match(r"enum \w+", parameter)
    return f"({enum.group(0)})0" if enum else "0"


def main():
    include, symbol_map, output = (pathlib.Path(name) for name in sys.argv[1:])
    text = "\n".join(COMMENT.sub("", path.read_text()) for path in sorted(include.rglob("*.h")))
    opaque = set(re.findall(r"^struct (libiommu_\w+);", text, re.M))
    symbols = re.findall(r"^\s+(libiommu_\w+);", symbol_map.read_text(), re.M)
    calls, rows, skipped = [], [], []
    for kind, name, parameters in PROTOTYPE.findall(text):
        kind = " ".join(kind.split())
        parameters = [" ".join(p.split()) for p in parameters.split(",")]
        handle = re.match(r"(?:const )?struct (libiommu_\w+) \*", parameters[0])
        # NULL choices are the defaults.
        choices = re.match(r"const struct libiommu_(\w+_config|sys) \*", parameters[0])
        if not handle or handle.group(1) not in opaque or choices:
            skipped.append(name)
            continue
        arguments = ", ".join(
            argument(p, opaque, i == 0) for i, p in enumerate(parameters)
        )
        if kind == "void":
            body, result = f"{name}({arguments});\n\treturn 0;", "0"
        elif kind.endswith("*"):
            body, result = f"return {name}({arguments}) ? 1 : 0;", "0"
        else:
            body = f"return (long long){name}({arguments});"
            result = "-EINVAL" if kind == "int" and not name.endswith("_destroy") else "0"
        calls.append(f"static long long call_{name}(void)\n{{\n\t{body}\n}}\n")
        rows.append(f'\t{{"{name}", call_{name}, {result}}},')
    known = [row.split('"')[1] for row in rows] + skipped
    missing = sorted(set(symbols) - set(known))
    if missing:
        sys.exit(f"exported, and not found in a header: {', '.join(missing)}")
    lines = ["/* Made by null-table.py. */", *calls, "static const struct null_call calls[] = {", *rows, "};"]
    lines += ["static const char *const skipped[] = {", *(f'\t"{name}",' for name in sorted(skipped)), "};"]
    output.write_text("\n".join(lines) + "\n")


main()
