/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A machine, its door, and the lives of descriptors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <libiommu-emu.h>
#include <libiommu.h>
#include <unistd.h>

static struct libiommu_ctx *context(struct libiommu_emu *emu)
{
	struct libiommu_ctx_config *config;
	struct libiommu_ctx *ctx;

	assert_int_equal(libiommu_ctx_config_new(&config), 0);
	assert_int_equal(libiommu_ctx_config_set_sys(config, libiommu_emu_door(emu)), 0);
	assert_int_equal(libiommu_ctx_new(config, &ctx), 0);
	libiommu_ctx_config_free(config);
	return ctx;
}

static void lives_and_ends(void **state)
{
	struct libiommu_emu *emu;

	(void)state;
	assert_int_equal(libiommu_emu_new(NULL), -EINVAL);
	assert_null(libiommu_emu_door(NULL));
	assert_int_equal(libiommu_emu_destroy(NULL), 0);
	assert_int_equal(libiommu_emu_new(&emu), 0);
	assert_int_equal(libiommu_ctx_destroy(context(emu)), 0);
	assert_int_equal(libiommu_emu_destroy(emu), 0);
}

/* A copy of its descriptor that nobody told the machine of keeps a context. */
static void ends_with_the_last_descriptor(void **state)
{
	struct libiommu_emu *emu;
	struct libiommu_ctx *ctx;
	int copy;

	(void)state;
	assert_int_equal(libiommu_emu_new(&emu), 0);
	ctx = context(emu);
	assert_int_equal(libiommu_emu_destroy(emu), -EBUSY);
	copy = fcntl(libiommu_ctx_fd(ctx), F_DUPFD_CLOEXEC, 0);
	assert_int_equal(libiommu_ctx_destroy(ctx), 0);
	assert_int_equal(libiommu_emu_destroy(emu), -EBUSY);
	close(copy);
	assert_int_equal(libiommu_emu_destroy(emu), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lives_and_ends),
		cmocka_unit_test(ends_with_the_last_descriptor),
	};

	return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
