/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */
#include "dma.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int nvme_dma_alloc(struct libiommu_dma_space *space, uint64_t length, struct nvme_dma *dma)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	const uint64_t whole = (length + page - 1) / page * page;
	uint64_t iova;
	void *address;
	int err;

	address = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (address == MAP_FAILED)
		return nvme_fail(-errno, "no memory for a buffer of %llu bytes",
		                 (unsigned long long)whole);
	err = libiommu_dma_space_register(space, address, whole,
	                                  LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE, &iova);
	if (err) {
		nvme_fail_library("cannot register a buffer");
		munmap(address, whole);
		return err;
	}
	*dma = (struct nvme_dma){.address = address, .length = whole, .iova = iova};
	return 0;
}

void nvme_dma_free(struct libiommu_dma_space *space, struct nvme_dma *dma)
{
	if (!dma->length)
		return;
	/* Memory that the drive may still reach must not go back to the heap: then it stays. */
	if (dma->iova && libiommu_dma_space_unregister(space, dma->address, dma->length))
		nvme_fail_library("cannot unregister a buffer");
	else
		munmap(dma->address, dma->length);
	memset(dma, 0, sizeof(*dma));
}

int nvme_fail_library(const char *what)
{
	char text[512];

	libiommu_failure_text(text, sizeof(text));
	fprintf(stderr, "nvme-rw: %s: %s\n", what, text);
	return libiommu_failure_error();
}

int nvme_fail(int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("nvme-rw: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	return error;
}

void nvme_write_barrier(void)
{
#if defined(__aarch64__)
	/* The drive is outside the domain that C11's fences speak of. */
	__asm__ volatile("dmb oshst" ::: "memory");
#else
	atomic_thread_fence(memory_order_seq_cst);
#endif
}
