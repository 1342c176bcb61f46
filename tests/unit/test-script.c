/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* That the scripted door plays back what it was told, and that what it hands out is told apart. */
#include "alloc.h"
#include "objects.h"
#include "paths.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "../../lib/base/sys.h"

static void test_objects_come_and_go(void **state)
{
	struct libiommu_ctx *const ctx = script_ctx();
	struct libiommu_ioas *const ioas = script_ioas(ctx, 2);
	struct libiommu_device *const dev = script_device(ctx);
	struct libiommu_hwpt *const hwpt = script_hwpt(dev, DEVICE_ID, ioas, 2, 3);

	(void)state;
	script_attach_ioas(dev, DEVICE_FD, ioas, 2, 4);
	script_detach(dev, DEVICE_FD);
	script_hwpt_close(hwpt, 3);
	script_device_close(dev);
	script_ioas_close(ioas, 2);
	script_ctx_close(ctx);
}

static void test_paths(void **state)
{
	const struct libiommu_sys *const door = script_door();
	char text[16];
	int fd;

	(void)state;
	path_text("/sys/a", "hello\n");
	path_link("/sys/b", "../x/y");
	path_list("/sys/c", "one two");
	path_error("/sys/d", -EACCES);
	fd = li_sys_open(door, "/sys/a", O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(li_sys_read(door, fd, text, 4), 4);
	assert_int_equal(li_sys_read(door, fd, text + 4, 12), 2);
	assert_memory_equal(text, "hello\n", 6);
	assert_int_equal(li_sys_read(door, fd, text, 4), 0);
	assert_int_equal(li_sys_close(door, fd), 0);
	assert_int_equal(li_sys_readlink(door, "/sys/b", text, sizeof(text)), 6);
	assert_string_equal(text, "../x/y");
	assert_int_equal(li_sys_list(door, "/sys/c", text, sizeof(text)), 8);
	assert_memory_equal(text, "one\0two", 8);
	assert_int_equal(li_sys_open(door, "/sys/d", O_RDONLY), -EACCES);
	assert_int_equal(li_sys_open(door, "/sys/e", O_RDONLY), -ENOENT);
}

static void test_alloc_loop_meets_every_allocation(void **state)
{
	unsigned int rounds = 0;

	(void)state;
	ALLOC_LOOP
	{
		struct libiommu_ctx_config *const config = script_ctx_config();
		struct libiommu_ctx *ctx = NULL;

		EXPECT_OPEN("/dev/iommu", CTX_FD);
		if (!ALLOC_TRY(libiommu_ctx_new(config, &ctx)))
			script_ctx_close(ctx);
		else
			assert_null(ctx);
		libiommu_ctx_config_free(config);
		rounds++;
	}
	/* The context, its door, and the round in which both are granted. */
	assert_int_equal(rounds, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRIPT_TEST(test_objects_come_and_go),
		SCRIPT_TEST(test_paths),
		SCRIPT_TEST(test_alloc_loop_meets_every_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
