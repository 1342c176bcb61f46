# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The libiommu authors
# shellcheck shell=bash
#
# The test machine's file system: a base of busybox and the init program, made once, followed by a
# second archive with the files of one run. Not compressed: unpacking under emulation costs more
# than loading. Needs common.sh; sysroot and triplet say for which architecture it is, if it is not
# for ours.

# pack DIRECTORY FILE: a cpio archive that belongs to root whoever makes it.
initramfs_pack()
{
	(cd "$1" && find . -mindepth 1 -print0 | LC_ALL=C sort -z |
		cpio --quiet --null --create --format=newc --owner=+0:+0) > "$2"
}

# initramfs_base INIT [SYSROOT]: print the path of the base archive. Where the guest is of another
# architecture, its busybox is the sysroot's, of the same release as ours.
initramfs_base()
{
	local init=$1 sysroot=${2:-} busybox dir file key link ours scratch

	ours=$(command -v busybox) || die "no busybox; run scripts/packages vm"
	busybox=$ours
	if [ -n "$sysroot" ]; then
		# From Debian 13 on packages have nothing in /bin itself.
		for busybox in "$sysroot"/{usr/,}bin/busybox; do
			[ ! -f "$busybox" ] || break
		done
		[ -f "$busybox" ] || die "no busybox in $sysroot"
	fi
	dir=$(cache_dir)/initramfs
	key=$(cat "$init" "$busybox" "${BASH_SOURCE[0]}" | sha256sum | cut -c 1-12)
	file=$dir/base-$key.cpio
	if [ ! -f "$file" ]; then
		mkdir -p "$dir"
		scratch=$(mktemp -d "$dir/.base.XXXXXX")
		mkdir -p "$scratch"/root/{bin,sbin,usr/bin,usr/sbin,proc,sys,dev} \
			"$scratch"/root/{root,tmp,run,vm,etc}
		chmod 1777 "$scratch/root/tmp"
		ln -s /proc/mounts "$scratch/root/etc/mtab"
		echo 'root:x:0:0:root:/root:/bin/sh' > "$scratch/root/etc/passwd"
		echo 'nobody:x:65534:65534:nobody:/root:/bin/sh' >> "$scratch/root/etc/passwd"
		echo 'root:x:0:' > "$scratch/root/etc/group"
		cp "$busybox" "$scratch/root/bin/busybox"
		"$ours" --list-full | while read -r link; do
			[ -e "$scratch/root/$link" ] || ln -s /bin/busybox "$scratch/root/$link"
		done
		# PowerPC's loader is asked for by this name.
		[ -z "$sysroot" ] || ln -s lib "$scratch/root/lib64"
		install -m 755 "$init" "$scratch/root/init"
		initramfs_pack "$scratch/root" "$scratch/base.cpio"
		mv "$scratch/base.cpio" "$file"
		rm -rf "$scratch"
	fi
	printf '%s\n' "$file"
}

# our_libraries FILE: those that a program of this machine needs, one path on each line.
our_libraries()
{
	# Not an ELF file, a static one, another machine's: nothing to add.
	{ ldd "$1" 2>/dev/null || true; } |
		sed -n 's/^\(.* => \|[[:space:]]*\)\(\/[^ ]*\) (0x.*/\2/p'
}

# cross_libraries FILE: the same for a cross-compiled program, as "path there, path here" where the
# two differ. A library that was built with the program is found through the path in the program.
cross_libraries()
{
	local directory name path

	# A script is executable, too, and needs nothing.
	path=$({ readelf -W -d "$1" 2>/dev/null || true; } |
		sed -n 's/.*(RU*N*PATH).*\[\(.*\)\]/\1/p')
	path=${path//\$ORIGIN/${1%/*}}
	{ readelf -W -d "$1" 2>/dev/null || true; } | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
		while read -r name; do
			for directory in ${path//:/ }; do
				[ -e "$directory/$name" ] || continue
				realpath -s "$directory/$name"
				cross_libraries "$directory/$name"
				continue 2
			done
			for directory in "$sysroot/usr/lib/$triplet" "/usr/$triplet/lib"; do
				[ -e "$directory/$name" ] || continue
				printf '/lib/%s %s\n' "$name" "$directory/$name"
				cross_libraries "$directory/$name"
				continue 2
			done
			die "no $name for $1"
		done
}

# initramfs_add ROOT HOST GUEST: a file or directory of the host, with the libraries it needs.
# Libraries keep the host's paths, so that whatever the loader found here it finds there.
initramfs_add()
{
	local root=$1 host=$2 guest=$3 file here library needed=our_libraries

	[ -z "$sysroot" ] || needed=cross_libraries
	[ -e "$host" ] || die "no such file: $host"
	mkdir -p "$root/${guest%/*}"
	cp -r -L -T "$host" "$root/$guest"
	while read -r file; do
		"$needed" "$file" | while read -r library here; do
			[ -e "$root$library" ] ||
				install -D -m 755 "${here:-$library}" "$root$library"
		done
	done < <(find -L "$host" -type f -perm /111)
}
