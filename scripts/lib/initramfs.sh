# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The libiommu authors
# shellcheck shell=bash
#
# The test machine's file system: a base of busybox and the init program, made once, followed by a
# second archive with the files of one run. Not compressed: unpacking under emulation costs more
# than loading. Needs common.sh.

# pack DIRECTORY FILE: a cpio archive that belongs to root whoever makes it.
initramfs_pack()
{
	(cd "$1" && find . -mindepth 1 -print0 | LC_ALL=C sort -z |
		cpio --quiet --null --create --format=newc --owner=+0:+0) > "$2"
}

# initramfs_base INIT: print the path of the base archive.
initramfs_base()
{
	local init=$1 busybox dir file key link scratch

	busybox=$(command -v busybox) || die "no busybox; run scripts/packages vm"
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
		"$busybox" --list-full | while read -r link; do
			[ -e "$scratch/root/$link" ] || ln -s /bin/busybox "$scratch/root/$link"
		done
		install -m 755 "$init" "$scratch/root/init"
		initramfs_pack "$scratch/root" "$scratch/base.cpio"
		mv "$scratch/base.cpio" "$file"
		rm -rf "$scratch"
	fi
	printf '%s\n' "$file"
}

# initramfs_add ROOT HOST GUEST: a file or directory of the host, with the libraries it needs.
# Libraries keep the host's paths, so that whatever the loader found here it finds there.
initramfs_add()
{
	local root=$1 host=$2 guest=$3 file library

	[ -e "$host" ] || die "no such file: $host"
	mkdir -p "$root/${guest%/*}"
	cp -r -L -T "$host" "$root/$guest"
	while read -r file; do
		# Not an ELF file, a static one, another machine's: nothing to add.
		{ ldd "$file" 2>/dev/null || true; } |
			sed -n 's/^\(.* => \|[[:space:]]*\)\(\/[^ ]*\) (0x.*/\2/p' |
			while read -r library; do
				[ -e "$root$library" ] ||
					install -D -m 755 "$library" "$root$library"
			done
	done < <(find -L "$host" -type f -perm /111)
}
