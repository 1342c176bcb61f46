# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The libiommu authors
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # set here for vm-run, set there for us
#
# The test machines: what QEMU is told of each architecture's, and what is put in front of the
# guest's files. Needs common.sh and initramfs.sh.

# One root port for each device: a group of its own, and a bus that can be reset. Not faster than
# 5 GT/s: above that the kernel waits for a link that QEMU does not bring up again, and a hot reset
# fails.
# shellcheck disable=SC2054 # the commas are QEMU's
root_ports=(
	-device pcie-root-port,id=port0,chassis=1,slot=1,x-speed=5
	-device pcie-root-port,id=port1,chassis=2,slot=2,x-speed=5
)

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
	machine=(-M q35,kernel-irqchip=off -cpu max ${device:+-device "$device"} "${root_ports[@]}")
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
		"${root_ports[@]}"
	)
	console_arguments="ttyAMA0 acpi=force"
}

# machine_ppc64el: a host bridge for each device, since what is behind one is one group. Without
# transactional and other capabilities, which QEMU does not emulate. Memory could be added: where it
# cannot, the kernel (6.12) fails to make a device's driver a window, and makes none for the device
# from then on. The devices' first window is smaller than QEMU makes it by itself, since the kernel
# walks through all of it at each end of an attachment.
machine_ppc64el()
{
	case $iommu in
	auto | spapr) ;;
	*) die "no such IOMMU: $iommu" ;;
	esac
	# shellcheck disable=SC2054
	machine=(
		-M pseries,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off
		-m slots=1,maxmem=16G -cpu power9 -vga none -net none
		-device spapr-pci-host-bridge,index=1,id=bridge1,dma_win_size=0x8000000
		-device spapr-pci-host-bridge,index=2,id=bridge2,dma_win_size=0x8000000
	)
	# The DMA engine reaches all addresses, also those of a window far above 4 GiB.
	ports=(bridge1.0 bridge2.0,dma_mask=0xffffffffffffffff)
	rest=pci.0
	console_arguments=hvc0
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
