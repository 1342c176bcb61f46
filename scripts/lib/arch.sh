# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The libiommu authors
# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is read by whoever sources this
#
# Architectures of the test machine, by the kernel's names. Needs common.sh.

# arch_triplet ARCH: as compilers and directories of libraries have it in their names.
arch_triplet()
{
	case $1 in
	x86_64) echo x86_64-linux-gnu ;;
	arm64) echo aarch64-linux-gnu ;;
	ppc64el) echo powerpc64le-linux-gnu ;;
	*) die "no such architecture: $1" ;;
	esac
}

# arch_qemu ARCH: as QEMU has it in its name.
arch_qemu()
{
	case $1 in
	ppc64el) echo ppc64 ;;
	arm64) echo aarch64 ;;
	*) echo "$1" ;;
	esac
}

# arch_is_ours ARCH: whether this machine's programs run there as they are.
arch_is_ours()
{
	[ "$(uname -m)-linux-gnu" = "$(arch_triplet "$1")" ]
}

# kernel_arch ARCH: sets make_arch (words for make), image (the file that make builds, in its
# directory of objects), and needed (options without which nothing would run).
kernel_arch()
{
	needed=(IOMMUFD VFIO_PCI BLK_DEV_NVME 9P_FS VIRTIO_CONSOLE DEVTMPFS)
	case $1 in
	x86_64)
		make_arch=(ARCH=x86_64)
		image=arch/x86/boot/bzImage
		needed+=(INTEL_IOMMU)
		;;
	arm64)
		make_arch=(ARCH=arm64)
		image=arch/arm64/boot/Image
		needed+=(ARM_SMMU_V3_IOMMUFD ACPI_TABLE_UPGRADE SERIAL_AMBA_PL011_CONSOLE)
		;;
	*) die "no such architecture: $1" ;;
	esac
	arch_is_ours "$1" || make_arch+=("CROSS_COMPILE=$(arch_triplet "$1")-")
}
