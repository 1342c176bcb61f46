/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A driver that was written for VFIO's containers, at work in an address space of the library's:
 * type1.c is given a context's descriptor for its container, and is none the wiser. What the old
 * code and new code map is the same address space, so that a program can be moved piece by piece.
 *
 * usage: compat-type1 [--container] [ADDRESS]
 *
 * --container: on VFIO's own container instead, for comparison; the old code is the same.
 */
#include <libiommu.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "type1.h"

enum { PAGE = 4096, OLD = 0x100000, NEW = 0x200000 }; /* the device sends 28 bits of an address */

static _Alignas(PAGE) uint8_t source[PAGE];
static _Alignas(PAGE) uint8_t target[PAGE];

static bool failed(const char *what)
{
	char text[512];

	libiommu_failure_text(text, sizeof(text));
	fprintf(stderr, "compat-type1: %s: %s\n", what, text);
	return false;
}

/* The device's address, or the first of its kind, and its group's file. */
static bool find(const struct libiommu_device_list *list, const char **address, char *group,
                 size_t size)
{
	for (size_t i = 0; i < libiommu_device_list_count(list); i++) {
		const char *const here = libiommu_device_list_address(list, i);
		uint32_t vendor, device, class_code;

		libiommu_device_list_ids(list, i, &vendor, &device, &class_code);
		if (*address ? strcmp(here, *address) : vendor != 0x1234 || device != 0x11e8)
			continue;
		if (libiommu_device_list_group(list, i) < 0)
			return failed(here);
		*address = here;
		snprintf(group, size, "/dev/vfio/%d", libiommu_device_list_group(list, i));
		return true;
	}
	fprintf(stderr, "compat-type1: no such device\n");
	return false;
}

static bool copies(const struct type1_device *dev)
{
	for (size_t i = 0; i < PAGE; i++)
		source[i] = (uint8_t)(i * 11 + 3);
	if (!type1_copy(dev, OLD, NEW))
		return false;
	if (!memcmp(source, target, PAGE))
		return true;
	fprintf(stderr, "compat-type1: what came back is not what was sent\n");
	return false;
}

/* The old code alone, as ever. */
static bool run_in_container(const char *group, const char *address)
{
	const int container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	struct type1_device dev;
	bool done = false;

	if (container < 0) {
		perror("compat-type1: /dev/vfio/vfio");
		return false;
	}
	if (type1_open(container, group, address, &dev)) {
		done = type1_map(container, source, PAGE, OLD) &&
		       type1_map(container, target, PAGE, NEW) && copies(&dev) &&
		       type1_unmap(container, PAGE, OLD) && type1_unmap(container, PAGE, NEW);
		type1_close(&dev);
	}
	close(container);
	if (done)
		printf("ok: a page was copied, in a container\n");
	return done;
}

/* One page is mapped by the old code and one by the new; each can unmap what the other mapped. */
static bool run_together(struct libiommu_ioas *ioas, int container, const struct type1_device *dev)
{
	if (!type1_map(container, source, PAGE, OLD))
		return false;
	if (libiommu_ioas_map_fixed(ioas, target, PAGE, LIBIOMMU_MAP_WRITE, NEW))
		return failed("mapping");
	if (!copies(dev) || !type1_unmap(container, PAGE, NEW))
		return false;
	if (libiommu_ioas_unmap(ioas, OLD, PAGE))
		return failed("unmapping");
	return true;
}

static bool run_in_context(const char *group, const char *address)
{
	struct libiommu_ctx *ctx = NULL;
	struct libiommu_ioas *ioas = NULL;
	struct type1_device dev;
	bool done = false;

	if (libiommu_ctx_new(NULL, &ctx) || libiommu_ioas_alloc(ctx, &ioas) ||
	    libiommu_ioas_set_compat(ioas)) {
		failed("no address space");
	} else if (type1_open(libiommu_ctx_fd(ctx), group, address, &dev)) {
		done = run_together(ioas, libiommu_ctx_fd(ctx), &dev);
		type1_close(&dev);
	}
	/* The device was none of the library's; it is closed, and so nothing is attached. */
	if (libiommu_ioas_destroy(ioas) || libiommu_ctx_destroy(ctx))
		done = failed("the end");
	if (done)
		printf("ok: a page was copied, in an address space of old and new code\n");
	return done;
}

int main(int argc, char **argv)
{
	const bool container = argc > 1 && !strcmp(argv[1], "--container");
	const char *address = argc > 1 + container ? argv[1 + container] : NULL;
	struct libiommu_device_list *list;
	char group[64];
	bool done = false;

	if (libiommu_device_list_new(NULL, &list)) {
		failed("no list of devices");
		return EXIT_FAILURE;
	}
	if (find(list, &address, group, sizeof(group)))
		done = container ? run_in_container(group, address)
		                 : run_in_context(group, address);
	libiommu_device_list_free(list);
	return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
