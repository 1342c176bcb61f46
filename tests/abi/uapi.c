/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Compares this project's declarations of the kernel ABI with the kernel's own headers: every
 * size, alignment, offset, signedness, ioctl number and value. That both can be included here at
 * once is a part of the test.
 *
 * Built with UAPI_STATIC, it compares in the compiler, for machines whose programs cannot be run
 * here; else it compares when it runs, so that all differences are seen and not only the first.
 * With --list it prints the pairs of names instead, from which uapi-complete finds out what is
 * missing on either side.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <linux/io_uring.h>
#include <linux/iommufd.h>
#include <linux/kvm.h>
#include <linux/vfio.h>
#include <linux/vfio_zdev.h>
#include <linux/vhost.h>

#include "base/uapi/io-uring.h"
#include "base/uapi/iommufd.h"
#include "base/uapi/kvm.h"
#include "base/uapi/vfio.h"
#include "base/uapi/vhost.h"

static bool listing;
static unsigned int passed;
static unsigned int failed;

#ifdef UAPI_STATIC
#define EQUAL(name, what, a, b)                                                                    \
	do {                                                                                       \
		_Static_assert((a) == (b), name ": " what);                                        \
		passed++;                                                                          \
	} while (0)
#else
#define EQUAL(name, what, a, b) equal(name, what, (a), (b))

static void equal(const char *name, const char *what, uint64_t ours, uint64_t theirs)
{
	if (ours == theirs) {
		passed++;
		return;
	}
	failed++;
	if (!listing)
		printf("%s: %s is %#llx, but %#llx in the kernel's header\n", name, what,
		       (unsigned long long)ours, (unsigned long long)theirs);
}
#endif

static void pair(const char *ours, const char *theirs)
{
	if (listing)
		printf("%s %s\n", ours, theirs);
}

#define MEMBER(s, f)    (((struct s *)0)->f)
#define IS_SIGNED(s, f) ((__typeof__(MEMBER(s, f)))-1 < 1)

#define PAIR_STRUCT(a, b)                                                                          \
	pair(#a, #b);                                                                              \
	EQUAL(#a, "size", sizeof(struct a), sizeof(struct b));                                     \
	EQUAL(#a, "alignment", _Alignof(struct a), _Alignof(struct b));

/* A field that is no integer: an array, a pointer or a structure that is compared on its own. */
#define PAIR_AGGREGATE(a, f, b, g)                                                                 \
	pair(#a "." #f, #b "." #g);                                                                \
	EQUAL(#a "." #f, "offset", offsetof(struct a, f), offsetof(struct b, g));                  \
	EQUAL(#a "." #f, "size", sizeof(MEMBER(a, f)), sizeof(MEMBER(b, g)));

#define PAIR_FIELD(a, f, b, g)                                                                     \
	PAIR_AGGREGATE(a, f, b, g)                                                                 \
	EQUAL(#a "." #f, "signedness", IS_SIGNED(a, f), IS_SIGNED(b, g));

/* An array without a length has an offset and elements of a size. */
#define PAIR_FLEXIBLE(a, f, b, g)                                                                  \
	pair(#a "." #f, #b "." #g);                                                                \
	EQUAL(#a "." #f, "offset", offsetof(struct a, f), offsetof(struct b, g));                  \
	EQUAL(#a "." #f, "element size", sizeof(MEMBER(a, f)[0]), sizeof(MEMBER(b, g)[0]));

/* The kernel has flags as signed and we as unsigned, hence 32 bits; nothing may be lost by that. */
#define PAIR_CONSTANT(a, b)                                                                        \
	pair(#a, #b);                                                                              \
	EQUAL(#a, "value", (uint32_t)(a), (uint32_t)(b));                                          \
	EQUAL(#a, "bytes above 32 bits", sizeof(a) > 4, false);                                    \
	EQUAL(#a, "bytes above 32 bits", sizeof(b) > 4, false);

static void compare_iommufd(void)
{
#define STRUCT(s)                  PAIR_STRUCT(uapi_##s, iommu_##s)
#define FIELD(s, f)                PAIR_FIELD(uapi_##s, f, iommu_##s, f)
#define RENAMED(s, f, g)           PAIR_FIELD(uapi_##s, f, iommu_##s, g)
#define AGGREGATE(s, f)            PAIR_AGGREGATE(uapi_##s, f, iommu_##s, f)
#define RENAMED_AGGREGATE(s, f, g) PAIR_AGGREGATE(uapi_##s, f, iommu_##s, g)
#define CONSTANT(c)                PAIR_CONSTANT(UAPI_##c, IOMMU_##c)
#define CONSTANT_FD(c)             PAIR_CONSTANT(UAPI_##c, IOMMUFD_##c)
#define IOCTL(c)                   PAIR_CONSTANT(UAPI_IOC_##c, IOMMU_##c)
#include "uapi-iommufd.def"
#include "uapi-hwpt.def"
#undef STRUCT
#undef FIELD
#undef AGGREGATE
#undef CONSTANT
#undef IOCTL
}

static void compare_vfio(void)
{
#define STRUCT(s)       PAIR_STRUCT(uapi_vfio_##s, vfio_##s)
#define FIELD(s, f)     PAIR_FIELD(uapi_vfio_##s, f, vfio_##s, f)
#define AGGREGATE(s, f) PAIR_AGGREGATE(uapi_vfio_##s, f, vfio_##s, f)
#define FLEXIBLE(s, f)  PAIR_FLEXIBLE(uapi_vfio_##s, f, vfio_##s, f)
#define CONSTANT(c)     PAIR_CONSTANT(UAPI_VFIO_##c, VFIO_##c)
#define IOCTL(c)        PAIR_CONSTANT(UAPI_IOC_VFIO_##c, VFIO_##c)
#include "uapi-vfio.def"
#undef STRUCT
#undef FIELD
#undef AGGREGATE
#undef FLEXIBLE
}

static void compare_io_uring(void)
{
#define STRUCT(s)       PAIR_STRUCT(uapi_io_##s, io_##s)
#define FIELD(s, f)     PAIR_FIELD(uapi_io_##s, f, io_##s, f)
#define AGGREGATE(s, f) PAIR_AGGREGATE(uapi_io_##s, f, io_##s, f)
#undef RENAMED_AGGREGATE
#define RENAMED_AGGREGATE(s, f, g) PAIR_AGGREGATE(uapi_io_##s, f, io_##s, g)
#define FLEXIBLE(s, f)             PAIR_FLEXIBLE(uapi_io_##s, f, io_##s, f)
/* The kernel has offsets for mmap(2) in 64 bits; those used here fit 32. */
#define NUMBER(c)                                                                                  \
	pair("UAPI_IORING_" #c, "IORING_" #c);                                                     \
	EQUAL("UAPI_IORING_" #c, "value", UAPI_IORING_##c, IORING_##c);
#include "uapi-io-uring.def"
}

#undef STRUCT
#undef FIELD
#undef IOCTL
#undef NUMBER

/* KVM's ioctls have the size of their argument in them, and so its type. */
static void compare_kvm(void)
{
#define STRUCT(s)   PAIR_STRUCT(uapi_kvm_##s, kvm_##s)
#define FIELD(s, f) PAIR_FIELD(uapi_kvm_##s, f, kvm_##s, f)
#define NUMBER(c)                                                                                  \
	pair("UAPI_" #c, #c);                                                                      \
	EQUAL("UAPI_" #c, "value", UAPI_##c, c);
#define IOCTL(c)                                                                                   \
	pair("UAPI_IOC_KVM_" #c, "KVM_" #c);                                                       \
	EQUAL("UAPI_IOC_KVM_" #c, "value", UAPI_IOC_KVM_##c, KVM_##c);
#include "uapi-kvm.def"
#undef STRUCT
#undef FIELD
#undef IOCTL
}

/* NUMBER() is as for KVM. */
static void compare_vhost(void)
{
#define STRUCT(s)   PAIR_STRUCT(uapi_vhost_##s, vhost_##s)
#define FIELD(s, f) PAIR_FIELD(uapi_vhost_##s, f, vhost_##s, f)
#undef AGGREGATE
#define AGGREGATE(s, f) PAIR_AGGREGATE(uapi_vhost_##s, f, vhost_##s, f)
#define IOCTL(c)                                                                                   \
	pair("UAPI_IOC_VHOST_" #c, "VHOST_" #c);                                                   \
	EQUAL("UAPI_IOC_VHOST_" #c, "value", UAPI_IOC_VHOST_##c, VHOST_##c);
#include "uapi-vhost.def"
}

int main(int argc, char **argv)
{
	listing = argc == 2 && strcmp(argv[1], "--list") == 0;
	compare_iommufd();
	compare_vfio();
	compare_io_uring();
	compare_kvm();
	compare_vhost();
	if (listing)
		return 0;
	printf("%u passed, %u failed\n", passed, failed);
	return failed > 0;
}
