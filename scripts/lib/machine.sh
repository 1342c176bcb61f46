# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The libiommu authors
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # set here for vm-run, set there for us
#
# The test machines: what QEMU is told of each architecture's, and what is put in front of the
# guest's files. Needs common.sh and initramfs.sh.

# machine_x86_64: sets machine and console_arguments for $iommu, $image and $qemu of vm-run.
machine_x86_64()
{
	local device flts=,x-flts=on release

	# Before 6.13 the kernel's driver attaches only second-stage page tables, and QEMU's
	# scalable mode offers either stage, not both.
	if [ "$iommu" = auto ]; then
		release=$(file -b "$image" | sed -n 's/.*version \([0-9]*\.[0-9]*\).*/\1/p')
		iommu=stage1
		dpkg --compare-versions "${release:-9}" ge 6.13 || iommu=stage2
	fi
	case $iommu in
	none) device='' ;;
	legacy) device=intel-iommu,intremap=on ;;
	stage1 | stage2)
		if [ "$iommu" = stage2 ] || ! "$qemu" -device intel-iommu,help | grep -q x-flts; then
			flts=''
		fi
		device=intel-iommu,intremap=on,x-scalable-mode=on$flts
		;;
	*) die "no such IOMMU: $iommu" ;;
	esac
	# shellcheck disable=SC2054 # the commas are QEMU's
	machine=(-M q35,kernel-irqchip=off -cpu max ${device:+-device "$device"})
	# On a busy host the timer's ticks come late, and the kernel's check for them panics.
	console_arguments="ttyS0 no_timer_check"
}

# machine_arm64: the same, and tables. The SMMUv3 is part of the board; both of its stages, one, or
# none of it. The kernel takes its description from ACPI, and so needs firmware.
machine_arm64()
{
	local firmware=/usr/share/qemu-efi-aarch64/QEMU_EFI.fd smmu=,iommu=smmuv3 stage

	[ -f "$firmware" ] || {
		say "skipped: no ${firmware##*/} here (scripts/packages arm64 installs it)"
		exit 77
	}
	[ "$iommu" != auto ] || iommu=nested
	case $iommu in
	none) smmu='' ;;
	nested) tables=("$(coherent_tables)") || exit $? ;;
	plain | stage1 | stage2) ;;
	*) die "no such IOMMU: $iommu" ;;
	esac
	stage=${iommu#stage}
	machine=(
		-M "virt,gic-version=3$smmu" -cpu max,pauth-impdef=on -bios "$firmware"
		${smmu:+-global "arm-smmuv3.stage=${stage/plain/nested}"}
	)
	console_arguments="ttyAMA0 acpi=force"
}

# coherent_tables: print the path of an archive with the machine's table IORT as lib/iort changes
# it. The kernel takes tables from an archive in front of its files. The table is QEMU's own: it is
# read, once, in a machine that runs with it as it is, and that has the same buses.
coherent_tables()
{
	local dir file more=() scratch word

	for word in "${qemu_more[@]}"; do
		more+=(--qemu "$word")
	done
	dir=$(cache_dir)/initramfs
	file=$dir/tables-$({
		cat "$(command -v "$qemu")" "$here/lib/iort" "${BASH_SOURCE[0]}"
		printf '%s\n' "${qemu_more[@]}"
	} | sha256sum | cut -c 1-12).cpio
	if [ ! -f "$file" ]; then
		mkdir -p "$dir"
		scratch=$(mktemp -d "$dir/.tables.XXXXXX")
		mkdir -p "$scratch/root/kernel/firmware/acpi"
		"$here/vm-run" --arch arm64 --kernel "$image" --iommu plain --vfio none \
			"${more[@]}" -- \
			cat /sys/firmware/acpi/tables/IORT > "$scratch/iort" ||
			die "cannot read the machine's ACPI table IORT"
		"$here/lib/iort" < "$scratch/iort" > "$scratch/root/kernel/firmware/acpi/iort.aml"
		initramfs_pack "$scratch/root" "$scratch/tables.cpio"
		mv "$scratch/tables.cpio" "$file"
		rm -rf "$scratch"
	fi
	printf '%s\n' "$file"
}
