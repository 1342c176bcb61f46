/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Drivers without an IOMMU: what they find, what they hold, and that they give it back. */
#include "space.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "../../emu/access.h"
#include "../../emu/map.h"

#define IOVA UINT64_C(0x2000000)

struct driver {
	struct emu_access *access;
	uint64_t iova, length; /* pinned; nothing: 0 */
	unsigned int revoked;
	bool stubborn;
};

static void revoke(void *user, uint64_t iova, uint64_t length)
{
	struct driver *const driver = user;

	driver->revoked++;
	if (driver->stubborn || !driver->length || iova > driver->iova + driver->length - 1 ||
	    iova + length - 1 < driver->iova)
		return;
	emu_access_unpin(driver->access, driver->iova, driver->length);
	driver->length = 0;
}

static struct emu_ctx *ctx_of(struct space *space)
{
	return emu_ctx_of(space->emu, libiommu_ctx_fd(space->ctx));
}

static void begin(struct space *space, struct driver *driver)
{
	*driver = (struct driver){0};
	assert_int_equal(emu_access_new(ctx_of(space), revoke, driver, &driver->access), 0);
	assert_int_equal(emu_access_attach(driver->access, space->ioas), 0);
}

static int pin(struct driver *driver, uint64_t iova, uint64_t length, unsigned int flags,
               emu_phys *pages)
{
	const int error = emu_access_pin(driver->access, iova, length, flags, pages);

	if (!error) {
		driver->iova = iova;
		driver->length = length;
	}
	return error;
}

static void map(struct space *space, uint64_t pages, uint32_t flags, uint64_t iova)
{
	assert_int_equal(
		libiommu_ioas_map_fixed(space->handle, space->memory, pages * PAGE, flags, iova),
		0);
}

static void pins(void **state)
{
	struct space *const space = space_new();
	struct driver driver, other;
	emu_phys pages[4] = {0};

	(void)state;
	begin(space, &driver);
	begin(space, &other);
	/* It wants whole pages. */
	assert_int_equal(libiommu_ioas_map_fixed(space->handle, space->memory, 100, BOTH, IOVA),
	                 -EINVAL);
	map(space, 4, LIBIOMMU_MAP_READ, IOVA);
	map(space, 2, BOTH, IOVA + 4 * PAGE);
	assert_int_equal(pin(&driver, IOVA + PAGE, 4 * PAGE, 0, pages), 0);
	assert_true(pages[0] == (uintptr_t)space->memory + PAGE);
	assert_true(pages[3] == (uintptr_t)space->memory);
	assert_true(space_pins(space, space->memory, PAGE, 1));
	assert_true(space_pins(space, space->memory + PAGE, 3 * PAGE, 1));
	assert_true(space_pins(space, space->memory + 4 * PAGE, PAGE, 0));
	/* The same again, and another part of it. */
	assert_int_equal(pin(&other, IOVA + PAGE, 4 * PAGE, 0, NULL), 0);
	assert_true(space_pins(space, space->memory, 4 * PAGE, 1));
	emu_access_unpin(driver.access, IOVA + PAGE, 4 * PAGE);
	assert_true(space_pins(space, space->memory, 4 * PAGE, 1));
	/* Page tables come and go. */
	assert_int_equal(space_add(space, 0), 0);
	space_remove(space, 0);
	assert_true(space_pins(space, space->memory, 4 * PAGE, 1));
	driver.length = 0;
	assert_int_equal(libiommu_ioas_unmap_all(space->handle, NULL), 0);
	assert_true(other.revoked && !other.length);
	assert_true(space_pins(space, space->memory, 4 * PAGE, 0));
	emu_access_free(driver.access);
	emu_access_free(other.access);
	space_free(space);
}

static void refused(void **state)
{
	struct space *const space = space_new();
	struct driver driver;
	uint8_t buffer[8] = {0};

	(void)state;
	begin(space, &driver);
	map(space, 2, LIBIOMMU_MAP_READ, IOVA);
	assert_int_equal(pin(&driver, IOVA, 0, 0, NULL), -EINVAL);
	assert_int_equal(pin(&driver, UINT64_MAX, 2, 0, NULL), -EOVERFLOW);
	assert_int_equal(pin(&driver, IOVA, 3 * PAGE, 0, NULL), -ENOENT);
	assert_int_equal(pin(&driver, IOVA, PAGE, EMU_ACCESS_WRITE, NULL), -EPERM);
	assert_int_equal(pin(&driver, IOVA + 100, PAGE, 0, NULL), -EINVAL);
	assert_int_equal(emu_access_rw(driver.access, IOVA, buffer, 0, 0), -EINVAL);
	assert_int_equal(emu_access_rw(driver.access, UINT64_MAX, buffer, 2, 0), -EOVERFLOW);
	assert_int_equal(emu_access_rw(driver.access, IOVA + 2 * PAGE - 4, buffer, 8, 0), -ENOENT);
	assert_int_equal(emu_access_rw(driver.access, IOVA, buffer, 8, EMU_ACCESS_WRITE), -EPERM);
	assert_true(space_pins(space, space->memory, 2 * PAGE, 0));
	assert_int_equal(emu_access_attach(driver.access, NULL), 0);
	assert_int_equal(pin(&driver, IOVA, PAGE, 0, NULL), -ENOENT);
	assert_int_equal(emu_access_rw(driver.access, IOVA, buffer, 8, 0), -ENOENT);
	emu_access_free(driver.access);
	space_free(space);
}

/* What is not given back stays mapped, and nobody else gets at it. */
static void stubborn(void **state)
{
	struct space *const space = space_new();
	struct driver driver;
	uint8_t byte = 0;

	(void)state;
	begin(space, &driver);
	map(space, 1, BOTH, IOVA);
	assert_int_equal(pin(&driver, IOVA, PAGE, 0, NULL), 0);
	driver.stubborn = true;
	assert_int_equal(libiommu_ioas_unmap(space->handle, IOVA, PAGE), -EDEADLOCK);
	assert_int_equal(emu_access_rw(driver.access, IOVA, &byte, 1, 0), -EINVAL);
	assert_int_equal(emu_access_pin(driver.access, IOVA, PAGE, 0, NULL), -EINVAL);
	driver.stubborn = false;
	assert_int_equal(libiommu_ioas_unmap(space->handle, IOVA, PAGE), 0);
	emu_access_free(driver.access);
	space_free(space);
}

/* The kernel's own: what it has cannot be unmapped. */
static void internal(void **state)
{
	struct space *const space = space_new();
	struct emu_access *access;
	uint32_t id = 0;

	(void)state;
	assert_int_equal(emu_access_new(ctx_of(space), NULL, NULL, &access), 0);
	assert_int_equal(emu_access_attach(access, space->ioas), 0);
	map(space, 2, BOTH, IOVA);
	assert_int_equal(emu_access_pin(access, IOVA, PAGE, 0, NULL), 0);
	assert_int_equal(libiommu_ioas_unmap(space->handle, IOVA, 2 * PAGE), -EBUSY);
	assert_int_equal(libiommu_ioas_id(space->handle, &id), 0);
	assert_int_equal(emu_object_remove(&space->ioas->object, false), -EBUSY);
	emu_access_unpin(access, IOVA, PAGE);
	assert_int_equal(libiommu_ioas_unmap(space->handle, IOVA, 2 * PAGE), 0);
	emu_access_free(access);
	space_free(space);
}

static void moves(void **state)
{
	struct space *const space = space_new();
	struct libiommu_ioas *second;
	struct driver driver;

	(void)state;
	begin(space, &driver);
	assert_int_equal(libiommu_ioas_alloc(space->ctx, &second), 0);
	map(space, 1, BOTH, IOVA);
	assert_int_equal(pin(&driver, IOVA, PAGE, 0, NULL), 0);
	/* What is there does not suit it. */
	assert_int_equal(libiommu_ioas_map_fixed(second, space->memory, 100, BOTH, IOVA), 0);
	assert_int_equal(emu_access_attach(driver.access, space_ioas(space, second)), -EADDRINUSE);
	assert_int_equal(driver.length, PAGE);
	assert_int_equal(libiommu_ioas_unmap(second, IOVA, 100), 0);
	assert_int_equal(emu_access_attach(driver.access, space_ioas(space, second)), 0);
	assert_int_equal(driver.length, 0);
	assert_int_equal(space->ioas->alignment, 1);
	assert_true(space_pins(space, space->memory, PAGE, 0));
	emu_access_free(driver.access);
	assert_int_equal(libiommu_ioas_destroy(second), 0);
	space_free(space);
}

/* Around the end of a page, the fast way and the slow one. */
static void reads_and_writes(void **state)
{
	struct space *const space = space_new();
	struct emu_access *access;
	uint8_t buffer[32];

	(void)state;
	assert_int_equal(emu_access_new_plain(ctx_of(space), &access), 0);
	assert_int_equal(emu_access_attach(access, space->ioas), 0);
	map(space, 4, BOTH, IOVA + 100);
	for (unsigned int flags = 0; flags <= EMU_ACCESS_SLOW; flags += EMU_ACCESS_SLOW) {
		uint8_t *const at = space->memory + 2 * PAGE - 16;

		memset(at, (int)flags + 1, 32);
		assert_int_equal(
			emu_access_rw(access, IOVA + 100 + 2 * PAGE - 16, buffer, 32, flags), 0);
		assert_memory_equal(buffer, at, 32);
		memset(buffer, 77 + (int)flags, 32);
		assert_int_equal(emu_access_rw(access, IOVA + 100 + 2 * PAGE - 16, buffer, 32,
		                               flags | EMU_ACCESS_WRITE),
		                 0);
		assert_memory_equal(buffer, at, 32);
	}
	assert_true(space_pins(space, space->memory, 4 * PAGE, 0));
	munmap(space->memory + 3 * PAGE, PAGE);
	assert_int_equal(emu_access_rw(access, IOVA + 100 + 3 * PAGE, buffer, 8, 0), -EFAULT);
	assert_int_equal(emu_access_rw(access, IOVA + 100 + 3 * PAGE, buffer, 8, EMU_ACCESS_SLOW),
	                 -EFAULT);
	/* One page as the process could, more as a device could, for which it must be writable. */
	mprotect(space->memory, 2 * PAGE, PROT_READ);
	assert_int_equal(emu_access_rw(access, IOVA + 100, buffer, 8, EMU_ACCESS_SLOW), 0);
	assert_int_equal(emu_access_rw(access, IOVA + 96 + PAGE, buffer, 8, 0), 0);
	assert_int_equal(emu_access_rw(access, IOVA + 96 + PAGE, buffer, 8, EMU_ACCESS_SLOW),
	                 -EFAULT);
	assert_int_equal(emu_access_rw(access, IOVA + 100, buffer, 8, EMU_ACCESS_WRITE), -EFAULT);
	emu_access_free(access);
	space_free(space);
}

/* A driver keeps the context that it has an address space of. */
static void outlives_the_descriptor(void **state)
{
	const struct emu_task task = {0};
	uint8_t memory[8] = "abcdefg", byte = 0;
	uint64_t iova = IOVA;
	struct libiommu_emu *emu;
	struct emu_access *access;
	struct emu_ioas *ioas;
	struct emu_ctx *ctx;
	int fd;

	(void)state;
	assert_int_equal(libiommu_emu_new(&emu), 0);
	fd = libiommu_emu_open(emu, "/dev/iommu", O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	ctx = emu_ctx_of(emu, fd);
	assert_int_equal(emu_ioas_new(ctx, &ioas), 0);
	assert_int_equal(emu_map_process(ctx, &task, ioas, (uintptr_t)memory, sizeof(memory), &iova,
	                                 EMU_READ, false),
	                 0);
	assert_int_equal(emu_access_new_plain(ctx, &access), 0);
	assert_int_equal(emu_access_attach(access, ioas), 0);
	assert_int_equal(libiommu_emu_close(emu, fd), 0);
	assert_int_equal(emu_access_rw(access, IOVA + 2, &byte, 1, 0), 0);
	assert_int_equal(byte, 'c');
	emu_access_free(access);
	assert_null(emu->pages);
	assert_int_equal(libiommu_emu_destroy(emu), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pins),
		cmocka_unit_test(refused),
		cmocka_unit_test(stubborn),
		cmocka_unit_test(internal),
		cmocka_unit_test(moves),
		cmocka_unit_test(reads_and_writes),
		cmocka_unit_test(outlives_the_descriptor),
	};

	return cmocka_run_group_tests_name("access", tests, NULL, NULL);
}
