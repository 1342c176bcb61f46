# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The libiommu authors
# shellcheck shell=bash
#
# Sourced by the scripts of this directory. Everything a script has to tell a person goes to stderr:
# stdout carries the result alone, so that scripts can be used in one another.

say()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# A script may give its own failures a status that no program it runs would use.
die()
{
	say "$*"
	exit "${die_status:-1}"
}

# The value of an option, or a clear complaint where it was forgotten.
need_value()
{
	[ "$#" -ge 2 ] || die "$1 needs a value"
}

# Print the cache directory; it lies outside the tree so that clones and branches share it.
cache_dir()
{
	local dir=${LIBIOMMU_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/libiommu}

	mkdir -p "$dir"
	(cd "$dir" && pwd)
}
