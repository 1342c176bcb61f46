#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The libiommu authors
"""Prints how many tests of a Meson build passed, failed and were skipped, each of a TAP program's too.

Usage: count.py BUILD_DIR [SETUP] -> "passed failed skipped"
"""

import pathlib
import sys
import xml.etree.ElementTree as tree


def main():
    name = f"testlog-{sys.argv[2]}" if len(sys.argv) > 2 else "testlog"
    report = pathlib.Path(sys.argv[1]) / "meson-logs" / f"{name}.junit.xml"
    passed = failed = skipped = 0
    for case in tree.parse(report).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    print(passed, failed, skipped)


main()
