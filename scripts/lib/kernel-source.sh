# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The libiommu authors
# shellcheck shell=bash
#
# The kernel's source, as the distribution packages it.
# Needs common.sh and apt.sh.

# kernel_source_find SERIES : sets $source_config and $source_newest for apt_fetch; dies without one
kernel_source_find()
{
	local codename package=linux-source-$1

	codename=$(os_codename)
	source_config=$(apt_private kernel "$codename-security" "$codename-backports" trixie \
		trixie-security trixie-backports)
	source_newest=$(apt_newest "$source_config" "$package")
	if [ -z "$source_newest" ]; then
		source_config=$(apt_private kernel-sid sid)
		source_newest=$(apt_newest "$source_config" "$package")
	fi
	[ -n "$source_newest" ] || die "no package $package to be had"
}

# kernel_source_unpack SERIES DIRECTORY [PATTERN...] : all of the newest source of a series, or what
# the patterns name, in DIRECTORY/linux-source-SERIES; its version in DIRECTORY/package-version
kernel_source_unpack()
{
	local package=linux-source-$1 into=$2 deb
	local wanted=("${@:3}")

	kernel_source_find "$1"
	say "downloading $package $source_newest"
	deb=$(apt_fetch "$source_config" "$package" "$source_newest" "$into") ||
		die "cannot download $package"
	say "unpacking"
	dpkg-deb --fsys-tarfile "$deb" |
		tar -x -O -f - "./usr/src/$package.tar.xz" |
		tar -x -J -C "$into" -f - --wildcards "${wanted[@]/#/$package/}"
	rm "$deb"
	printf '%s\n' "$source_newest" > "$into/package-version"
}

# What the kernel's own test of iommufd is made of.
selftest_files=(
	'tools/testing/selftests/iommu/*'
	'tools/testing/selftests/kselftest*.h'
	drivers/iommu/iommufd/iommufd_test.h
)

# kernel_selftest_dir SERIES : where that is kept
kernel_selftest_dir()
{
	printf '%s/selftest/%s\n' "$(cache_dir)" "$1"
}

# kernel_selftest_keep SERIES DIRECTORY : keeps it from an unpacked source, if that has it
kernel_selftest_keep()
{
	local kept new

	kept=$(kernel_selftest_dir "$1")
	[ ! -d "$kept" ] || return 0
	mkdir -p "${kept%/*}"
	new=$(mktemp -d "${kept%/*}/.new-XXXXXX")
	# shellcheck disable=SC2068 # they are patterns
	if (cd "$2/linux-source-$1" && cp --parents ${selftest_files[@]} "$new" 2> /dev/null); then
		cp "$2/package-version" "$new"
		chmod 755 "$new"
		mv -T "$new" "$kept"
	else
		rm -rf "$new"
	fi
}
