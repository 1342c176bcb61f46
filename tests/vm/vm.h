/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What the tests on a real kernel share: a machine with the edu device and an NVMe drive, a context
 * with the edu device bound, and a check at the end of each test that nothing is left.
 */
#ifndef VM_H
#define VM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <libiommu.h>
#include <stdio.h>

/* A call succeeds; when not, the library's explanation is shown. */
#define OK(call) vm_expect((call), 0, #call, __FILE__, __LINE__)
/* The same for a call that returns a count. */
#define SUCCEEDS(call) vm_expect_count((call), #call, __FILE__, __LINE__)
/* A call fails with exactly this error, and the library holds the same error ready. */
#define FAILS(error, call) vm_expect_failure((call), -(error), #call, __FILE__, __LINE__)
/* The last failure's explanation holds this text. */
#define EXPLAINED(text) vm_expect_text((text), __FILE__, __LINE__)
/* This test cannot run here: say why. */
#define SKIP(...)                                                                                  \
	do {                                                                                       \
		print_message("# skipped: ");                                                      \
		print_message(__VA_ARGS__);                                                        \
		print_message("\n");                                                               \
		skip();                                                                            \
	} while (0)

/* This test is of what VFIO's legacy containers do not have. */
#define NEEDS_IOMMUFD(vm)                                                                          \
	do {                                                                                       \
		if (libiommu_ctx_backend((vm)->ctx) != LIBIOMMU_BACKEND_IOMMUFD)                   \
			SKIP("takes iommufd, which this kernel has not");                          \
	} while (0)

enum {
	VM_PAGE = 4096,
	VM_LENGTH = 65536,  /* a page of any kernel */
	VM_IOVA = 0x100000, /* the edu device's DMA engine has 28 address bits */
	VM_LABEL = 0x1abe1,
	VM_READ_WRITE = LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE
};

struct vm {
	char edu[16]; /* PCI address */
	struct libiommu_ctx *ctx;
	struct libiommu_ioas *ioas;
	struct libiommu_device *dev; /* edu */
	struct libiommu_bar_map *bar;
	volatile uint32_t *regs;
	uint8_t *memory; /* VM_LENGTH bytes */
	unsigned int fds;
};

void vm_expect(int got, int wanted, const char *what, const char *file, int line);
void vm_expect_count(int got, const char *what, const char *file, int line);
void vm_expect_failure(int got, int wanted, const char *what, const char *file, int line);
void vm_expect_text(const char *text, const char *file, int line);

/* The addresses of the machine's devices; NULL where there are fewer than asked for. */
bool vm_find(uint32_t vendor, uint32_t device, size_t skip, char *address, size_t size);
bool vm_find_edu(char *address, size_t size);
bool vm_find_nvme(char *address, size_t size);

/* A context on VFIO's containers, whatever the kernel has besides. */
int vm_open_type1(struct libiommu_ctx **ctx);

/* Setups. Each one's teardown is vm_teardown(). */
int vm_setup_empty(void **state);    /* a context alone */
int vm_setup_type1(void **state);    /* one on VFIO's containers, and an address space */
int vm_setup_bound(void **state);    /* and the edu device bound, and an address space */
int vm_setup_attached(void **state); /* and attached, memory mapped at VM_IOVA, registers mapped */

/* Gives back what the test left of its fixture, then fails if anything is left. */
int vm_teardown(void **state);

/* The edu device's registers, mapped, with DMA allowed. */
void vm_map_registers(struct vm *vm);

uint64_t vm_live(const struct libiommu_ctx *ctx);
unsigned int vm_count_fds(void);

/* Whether the running kernel is at least this one. */
bool vm_kernel_at_least(unsigned int major, unsigned int minor);

/* What differs from one IOMMU to another. */
struct vm_iommu {
	uint32_t type;                /* LIBIOMMU_HW_INFO_... */
	uint64_t msi_first, msi_last; /* reserved for interrupts in each address space */
	const char *fault;            /* in the kernel's log, for a DMA fault */
	const char *fault_address;    /* a format, there */
};

/* Of the IOMMU behind a device, which is bound. */
const struct vm_iommu *vm_iommu(struct libiommu_device *dev);

/* Whether a write of the edu device to this page is a fault that the kernel's log tells of. */
bool vm_write_faults(const struct vm *vm, uint64_t page);

/* Whether the kernel's log has a line with both texts, within two seconds. */
bool vm_kernel_log_has(const char *one, const char *other);

/* Write a line to a file of sysfs; returns 0 or -errno. */
int vm_write_file(const char *path, const char *text);

/* Give a device to a driver, NULL for none; returns 0 or -errno. */
int vm_give_to(const char *address, const char *driver);

/* The device's node and its group's file. */
void vm_node_of(const char *address, char *node, size_t size);
void vm_group_of(const char *address, char *path, size_t size);

#endif
