/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Drivers in the emulated kernel that a program plays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <libiommu-emu.h>
#include <libiommu.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 8, LENGTH = PAGES * PAGE };

#define IOVA      UINT64_C(0x100000)
#define READ_ONLY (IOVA + LENGTH)

static struct libiommu_emu *emu;
static struct libiommu_ctx *ctx;
static struct libiommu_ioas *ioas;
static uint8_t *memory;

static int context_fd(void)
{
	return libiommu_ctx_fd(ctx);
}

static uint32_t id_of(const struct libiommu_ioas *space)
{
	uint32_t id = 0;

	libiommu_ioas_id(space, &id);
	return id;
}

static int setup(void **state)
{
	struct libiommu_ctx_config *config;
	const uint32_t both = LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE;

	(void)state;
	if (libiommu_emu_new(&emu) || libiommu_ctx_config_new(&config) ||
	    libiommu_ctx_config_set_sys(config, libiommu_emu_door(emu)) ||
	    libiommu_ctx_new(config, &ctx) || libiommu_ioas_alloc(ctx, &ioas))
		return -1;
	libiommu_ctx_config_free(config);
	memory = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return memory == MAP_FAILED || libiommu_ioas_map_fixed(ioas, memory, LENGTH, both, IOVA) ||
	       libiommu_ioas_map_fixed(ioas, memory, PAGE, LIBIOMMU_MAP_READ, READ_ONLY);
}

static int teardown(void **state)
{
	(void)state;
	munmap(memory, LENGTH);
	libiommu_ioas_destroy(ioas);
	libiommu_ctx_destroy(ctx);
	return libiommu_emu_destroy(emu);
}

static struct libiommu_emu_driver *driver_of(uint32_t flags)
{
	struct libiommu_emu_driver *driver;

	assert_int_equal(libiommu_emu_driver_new(emu, context_fd(), id_of(ioas), flags, &driver),
	                 0);
	return driver;
}

static void reads_and_writes(void **state)
{
	struct libiommu_emu_driver *const driver = driver_of(0);
	char text[] = "something", buffer[sizeof(text)];
	uint32_t item;

	(void)state;
	for (uint32_t flags = 0; flags <= LIBIOMMU_EMU_DRIVER_SLOW;
	     flags += LIBIOMMU_EMU_DRIVER_SLOW) {
		const uint64_t at = IOVA + PAGE - 4 + flags;

		assert_int_equal(libiommu_emu_driver_write(driver, at, text, sizeof(text), flags),
		                 0);
		assert_memory_equal(memory + PAGE - 4 + flags, text, sizeof(text));
		assert_int_equal(libiommu_emu_driver_read(driver, at, buffer, sizeof(text), flags),
		                 0);
		assert_memory_equal(buffer, text, sizeof(text));
	}
	assert_int_equal(libiommu_emu_driver_read(driver, IOVA, buffer, 0, 0), -EINVAL);
	assert_int_equal(libiommu_emu_driver_read(driver, IOVA, buffer, 1, 1), -EINVAL);
	assert_int_equal(libiommu_emu_driver_read(driver, UINT64_MAX, buffer, 2, 0), -EOVERFLOW);
	assert_int_equal(libiommu_emu_driver_read(driver, IOVA - 1, buffer, 2, 0), -ENOENT);
	assert_int_equal(libiommu_emu_driver_write(driver, READ_ONLY, text, 1, 0), -EPERM);
	assert_int_equal(libiommu_emu_driver_read(driver, READ_ONLY, buffer, 1, 0), 0);
	assert_int_equal(libiommu_emu_driver_pin(driver, IOVA, PAGE, 0, NULL, &item), -EOPNOTSUPP);
	libiommu_emu_driver_free(driver);
}

static void memory_that_is_gone(void **state)
{
	struct libiommu_emu_driver *const plain = driver_of(0);
	struct libiommu_emu_driver *const driver = driver_of(LIBIOMMU_EMU_DRIVER_PINS);
	char byte = 0;

	(void)state;
	assert_int_equal(munmap(memory, PAGE), 0);
	assert_int_equal(libiommu_emu_driver_read(plain, IOVA, &byte, 1, 0), -EFAULT);
	assert_int_equal(libiommu_emu_driver_write(plain, IOVA, &byte, 1, 0), -EFAULT);
	assert_int_equal(libiommu_emu_driver_pin(driver, IOVA, LENGTH, 0, NULL, NULL), -EFAULT);
	assert_int_equal(libiommu_emu_driver_pin(driver, IOVA + PAGE, PAGE, 0, NULL, NULL), 0);
	libiommu_emu_driver_free(driver);
	libiommu_emu_driver_free(plain);
}

static void pins(void **state)
{
	struct libiommu_emu_driver *const driver = driver_of(LIBIOMMU_EMU_DRIVER_PINS);
	const uint32_t write = LIBIOMMU_EMU_DRIVER_WRITE;
	uint32_t first, second, third;

	(void)state;
	assert_int_equal(libiommu_emu_driver_pin(driver, IOVA, 7, write, memory, &first), 0);
	assert_int_equal(libiommu_emu_driver_pin(driver, IOVA + 7, 7, 0, NULL, NULL), -EINVAL);
	assert_int_equal(libiommu_emu_driver_pin(driver, IOVA, 2 * PAGE, 0, NULL, &second), 0);
	assert_int_equal(libiommu_emu_driver_pin(driver, IOVA + 4 * PAGE, PAGE, 0, NULL, &third),
	                 0);
	assert_int_equal(libiommu_emu_driver_pin(driver, IOVA, PAGE, 0, memory + PAGE, NULL),
	                 -EBADE);
	assert_int_equal(libiommu_emu_driver_pin(driver, IOVA, PAGE, 2, NULL, NULL), -EINVAL);
	assert_int_equal(libiommu_emu_driver_pin(driver, IOVA, 0, 0, NULL, NULL), -EINVAL);
	assert_int_equal(libiommu_emu_driver_pin(driver, UINT64_MAX, 2, 0, NULL, NULL), -EOVERFLOW);
	assert_int_equal(libiommu_emu_driver_pin(driver, READ_ONLY, PAGE, write, NULL, NULL),
	                 -EPERM);
	assert_int_equal(libiommu_emu_driver_pin(driver, IOVA - PAGE, PAGE, 0, NULL, NULL),
	                 -ENOENT);
	assert_int_equal(libiommu_emu_driver_unpin(driver, first), 0);
	assert_int_equal(libiommu_emu_driver_unpin(driver, first), -ENOENT);
	/* Unmapped: what is pinned there goes, and nothing else. */
	assert_int_equal(libiommu_ioas_unmap(ioas, READ_ONLY, PAGE), 0);
	assert_int_equal(libiommu_emu_driver_unpin(driver, third), 0);
	assert_int_equal(libiommu_ioas_unmap(ioas, IOVA, LENGTH), 0);
	assert_int_equal(libiommu_emu_driver_unpin(driver, second), -ENOENT);
	libiommu_emu_driver_free(driver);
}

/* The same memory by another address, and by a file's. */
static void knows_pages_by_any_address(void **state)
{
	struct libiommu_emu_driver *const driver = driver_of(LIBIOMMU_EMU_DRIVER_PINS);
	const int file = memfd_create("file", MFD_CLOEXEC);
	uint8_t *one, *other;

	(void)state;
	assert_int_equal(ftruncate(file, LENGTH), 0);
	one = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	other = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, file, PAGE);
	assert_int_equal(libiommu_ioas_map_fixed(ioas, one, LENGTH, LIBIOMMU_MAP_READ, 0), 0);
	assert_int_equal(libiommu_emu_driver_pin(driver, PAGE, PAGE, 0, other, NULL), 0);
	assert_int_equal(libiommu_emu_driver_pin(driver, 0, PAGE, 0, other, NULL), -EBADE);
	assert_int_equal(libiommu_emu_driver_pin(driver, 0, PAGE, 0, memory, NULL), -EBADE);
	libiommu_emu_driver_free(driver);
	munmap(one, LENGTH);
	munmap(other, LENGTH);
	close(file);
}

static void moves(void **state)
{
	struct libiommu_emu_driver *const driver = driver_of(LIBIOMMU_EMU_DRIVER_PINS);
	struct libiommu_ioas *other;
	uint32_t item;

	(void)state;
	assert_int_equal(libiommu_ioas_alloc(ctx, &other), 0);
	assert_int_equal(libiommu_emu_driver_pin(driver, IOVA, LENGTH, 0, NULL, &item), 0);
	assert_int_equal(libiommu_emu_driver_move(driver, 77), -ENOENT);
	assert_int_equal(libiommu_emu_driver_move(driver, id_of(other)), 0);
	assert_int_equal(libiommu_emu_driver_unpin(driver, item), -ENOENT);
	assert_int_equal(libiommu_ioas_destroy(other), -EBUSY);
	assert_int_equal(libiommu_emu_destroy(emu), -EBUSY);
	libiommu_emu_driver_free(driver);
	assert_int_equal(libiommu_ioas_destroy(other), 0);
}

static int play(void)
{
	struct libiommu_emu_driver *driver;
	int error = libiommu_emu_driver_new(emu, context_fd(), id_of(ioas),
	                                    LIBIOMMU_EMU_DRIVER_PINS, &driver);

	if (error)
		return error;
	error = libiommu_emu_driver_pin(driver, IOVA, LENGTH, 0, memory, NULL);
	libiommu_emu_driver_free(driver);
	return error;
}

static void without_memory(void **state)
{
	unsigned int nth = 0;
	int failed, error;

	(void)state;
	do {
		libiommu_emu_fail_allocation(++nth);
		error = play();
		failed = libiommu_emu_stop_failing();
		assert_int_equal(error, failed ? -ENOMEM : 0);
	} while (failed);
	assert_true(nth > 4);
}

static void wrong(void **state)
{
	struct libiommu_emu_driver *driver = NULL;

	(void)state;
	assert_int_equal(libiommu_emu_driver_new(NULL, context_fd(), id_of(ioas), 0, &driver),
	                 -EINVAL);
	assert_int_equal(libiommu_emu_driver_new(emu, context_fd(), id_of(ioas), 0, NULL), -EINVAL);
	assert_int_equal(libiommu_emu_driver_new(emu, context_fd(), id_of(ioas), 2, &driver),
	                 -EINVAL);
	assert_int_equal(libiommu_emu_driver_new(emu, -1, id_of(ioas), 0, &driver), -EBADF);
	assert_int_equal(libiommu_emu_driver_new(emu, context_fd(), 77, 0, &driver), -ENOENT);
	assert_null(driver);
	libiommu_emu_driver_free(NULL);
	assert_int_equal(libiommu_emu_driver_move(NULL, 1), -EINVAL);
	assert_int_equal(libiommu_emu_driver_read(NULL, 0, &driver, 1, 0), -EINVAL);
	assert_int_equal(libiommu_emu_driver_write(NULL, 0, &driver, 1, 0), -EINVAL);
	assert_int_equal(libiommu_emu_driver_pin(NULL, 0, 1, 0, NULL, NULL), -EINVAL);
	assert_int_equal(libiommu_emu_driver_unpin(NULL, 1), -EINVAL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_and_writes),
		TEST(memory_that_is_gone),
		TEST(pins),
		TEST(knows_pages_by_any_address),
		TEST(moves),
		TEST(without_memory),
		TEST(wrong),
	};

	return cmocka_run_group_tests_name("drivers", tests, NULL, NULL);
}
