# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The libiommu authors
"""The contracts in the public headers, for the scripts that check them or make pages of them.

Doxygen is what says whether a comment is well formed. This reads no more of its language than the
headers use, and keeps the parts of a contract apart, which Doxygen's own output does not.
"""

import dataclasses
import pathlib
import re

COMMENT = re.compile(r"/\*\*(.*?)\*/[ \t]*\n?", re.S)
DEFINE = re.compile(r"#define (\w+)[^\n]*")
COMMAND = re.compile(r"@(\w+)(?:\[(\w+)\])?[ \t]*")
FUNCTION = re.compile(r"LIBIOMMU_API\s+(.*?)(\w+)\((.*)\);", re.S)
EXCEPT = re.compile(r"\bexcept (-E[A-Z0-9]+)")
DEFERS = re.compile(r"^0, or as (libiommu_\w+)\(\)")


@dataclasses.dataclass
class Comment:
    """A comment, taken apart: its prose, and its commands in their order."""

    brief: str = ""
    prose: list = dataclasses.field(default_factory=list)
    commands: list = dataclasses.field(default_factory=list)

    def all(self, name):
        return [text for command, _, text in self.commands if command == name]

    def one(self, name):
        return next(iter(self.all(name)), None)


@dataclasses.dataclass
class Item:
    """A declaration and what is said about it; an enumerator or a member has no items of its own."""

    kind: str
    name: str
    text: str
    comment: Comment
    header: str
    line: int
    items: list = dataclasses.field(default_factory=list)

    def __post_init__(self):
        self.parameters = []
        if self.kind == "function":
            result, _, arguments = FUNCTION.fullmatch(self.text).groups()
            self.result = " ".join(result.split())
            if arguments.strip() != "void":
                self.parameters = [" ".join(a.split()) for a in arguments.split(",")]

    def parameter_names(self):
        return [re.search(r"(\w+)$", p).group(1) for p in self.parameters]

    def documented(self):
        """(direction, name, text) of each @param."""
        found = []
        for command, direction, text in self.comment.commands:
            if command == "param":
                name, _, rest = text.partition(" ")
                found.append((direction or "in", name, rest.strip()))
        return found

    def returns(self):
        return self.comment.one("return")

    def errors(self):
        """(errno, text) of each @retval, in order."""
        pairs = [text.partition(" ") for text in self.comment.all("retval")]
        return [(value, text.strip()) for value, _, text in pairs]

    def defers_to(self):
        match = DEFERS.match(self.returns() or "")
        return match.group(1) if match else None


@dataclasses.dataclass
class Group:
    name: str
    title: str
    comment: Comment
    header: str
    items: list = dataclasses.field(default_factory=list)

    def of(self, kind):
        return [item for item in self.items if item.kind == kind]


def _parse_comment(body):
    body = body.replace("@{", "").strip("\n")
    lines = [re.sub(r"^\s*\*? ?", "", line).rstrip() for line in body.split("\n")]
    comment = Comment()
    current = None
    paragraph = []

    def flush():
        nonlocal current
        text = " ".join(paragraph).strip()
        paragraph.clear()
        if current is None:
            if text:
                comment.prose.append(text)
        elif current[0] == "brief":
            comment.brief = text
        else:
            comment.commands.append((*current, text))
        current = None

    for line in lines:
        line = line.strip()
        match = COMMAND.match(line)
        if match and match.group(1) not in ("p", "ref", "c"):
            flush()
            current = match.groups()
            line = line[match.end() :]
            if current[0] == "par":
                comment.prose.append("@par " + line)
                current, line = None, ""
        elif not line:
            flush()
            continue
        paragraph.append(line)
    flush()
    return comment


def _statement(text, start):
    """The declaration from start to the semicolon that ends it."""
    depth = 0
    position = start
    while position < len(text):
        if text.startswith("/*", position):
            position = text.index("*/", position) + 2
            continue
        char = text[position]
        depth += (char in "{(") - (char in "})")
        if char == ";" and depth == 0:
            return text[start : position + 1]
        position += 1
    raise ValueError("a declaration without an end")


def _members(statement, kind, header, line):
    inner = statement[statement.index("{") + 1 :]
    found = []
    for match in COMMENT.finditer(inner):
        rest = inner[match.end() :].lstrip()
        text = re.match(r"[^,;}]*", rest).group().strip()
        name = re.search(r"\w+", text) if kind == "enum" else re.search(r"(\w+)\W*$", text)
        comment = _parse_comment(match.group(1))
        at = line + statement.count("\n", 0, statement.index("{") + match.start())
        found.append(Item("member", name.group(), text, comment, header, at))
    return found


def _item(statement, comment, header, line):
    if statement.startswith("#define"):
        return Item("macro", DEFINE.match(statement).group(1), statement, comment, header, line)
    if statement.startswith("LIBIOMMU_API"):
        name = FUNCTION.fullmatch(statement).group(2)
        return Item("function", name, statement, comment, header, line)
    if statement.startswith("typedef"):
        name = re.search(r"\(\*(\w+)\)", statement).group(1)
        return Item("typedef", name, statement, comment, header, line)
    kind, name = re.match(r"(enum|struct) (\w+)", statement).groups()
    members = _members(statement, kind, header, line) if "{" in statement else []
    return Item(kind, name, statement, comment, header, line, members)


def read_header(path, name):
    """The groups of one header, normally one."""
    text = path.read_text()
    text = re.sub(r"/\*\* @cond \*/.*?/\*\* @endcond \*/", lambda m: "\n" * m[0].count("\n"), text,
                  flags=re.S)
    groups = []
    position = 0
    while match := COMMENT.search(text, position):
        position = match.end()
        comment = _parse_comment(match.group(1))
        if comment.one("defgroup"):
            group, _, title = comment.one("defgroup").partition(" ")
            groups.append(Group(group, title.strip(), comment, name))
            continue
        if "@}" in match.group(1) or not groups:
            continue
        if text.startswith("#define", position):
            statement = DEFINE.match(text, position).group()
        else:
            statement = _statement(text, position)
        line = text.count("\n", 0, position) + 1
        groups[-1].items.append(_item(statement, comment, name, line))
        position += len(statement)
    return groups


# Each has an umbrella header of its name, and a directory of that name for the others.
LIBRARIES = ("libiommu", "libiommu-emu")


def header_names(tree, library):
    """The headers in the umbrella's order, which is that of a program's life."""
    umbrella = (tree / f"include/{library}.h").read_text()
    return re.findall(rf"^#include <({library}/[\w-]+\.h)>", umbrella, re.M)


def read(tree, libraries=LIBRARIES):
    """The groups of all the public headers of these libraries."""
    tree = pathlib.Path(tree)
    return [group for library in libraries for name in header_names(tree, library)
            for group in read_header(tree / "include" / name, name)]


def umbrella_of(group):
    """What a program includes to have what a group has."""
    return group.header.partition("/")[0] + ".h"


def functions(groups):
    return {item.name: item for group in groups for item in group.of("function")}


def all_errors(item, known):
    """(errno, text, function that says so), those that a contract takes over from another too."""
    found = [(error, text, item.name) for error, text in item.errors()]
    other = item.defers_to()
    if other is not None:
        # What is said here counts, but an -EINVAL has many reasons and keeps them all.
        own = {error for error, _, _ in found if error != "-EINVAL"}
        own |= set(EXCEPT.findall(item.returns()))
        found += [entry for entry in all_errors(known[other], known) if entry[0] not in own]
    return found
