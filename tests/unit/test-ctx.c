/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A context's life: how it is opened, what it counts, when it can be closed. */
#include <stdio.h>

#include "alloc.h"
#include "objects.h"

static int open_with(struct libiommu_ctx_config *config, struct libiommu_ctx **ctx)
{
	const int error = libiommu_ctx_new(config, ctx);

	libiommu_ctx_config_free(config);
	return error;
}

static void test_default_path(void **state)
{
	struct libiommu_ctx *const ctx = script_ctx();

	(void)state;
	assert_int_equal(libiommu_ctx_fd(ctx), CTX_FD);
	script_ctx_close(ctx);
}

static void test_version(void **state)
{
	char text[32];

	(void)state;
	snprintf(text, sizeof(text), "%d.%d.%d", LIBIOMMU_VERSION_MAJOR, LIBIOMMU_VERSION_MINOR,
	         LIBIOMMU_VERSION_PATCH);
	assert_string_equal(libiommu_version(), text);
}

static void test_chosen_path(void **state)
{
	struct libiommu_ctx_config *const config = script_ctx_config();
	struct libiommu_ctx *ctx;
	char path[] = "/dev/other";

	(void)state;
	assert_int_equal(libiommu_ctx_config_set_path(config, path), 0);
	/* It is a copy. */
	path[1] = 'X';
	EXPECT_OPEN("/dev/other", CTX_FD);
	assert_int_equal(open_with(config, &ctx), 0);
	script_ctx_close(ctx);
}

static void test_path_and_fd_undo_each_other(void **state)
{
	struct libiommu_ctx_config *const config = script_ctx_config();
	struct libiommu_ctx *ctx;

	(void)state;
	script_lend_fd(50);
	assert_int_equal(libiommu_ctx_config_set_fd(config, 50, LIBIOMMU_FD_BORROW), 0);
	assert_int_equal(libiommu_ctx_config_set_path(config, "/dev/other"), 0);
	EXPECT_OPEN("/dev/other", CTX_FD);
	assert_int_equal(libiommu_ctx_new(config, &ctx), 0);
	script_ctx_close(ctx);
	/* Without a path again it is the default. */
	assert_int_equal(libiommu_ctx_config_set_fd(config, 50, LIBIOMMU_FD_BORROW), 0);
	assert_int_equal(libiommu_ctx_config_set_path(config, NULL), 0);
	EXPECT_OPEN("/dev/iommu", CTX_FD);
	assert_int_equal(libiommu_ctx_new(config, &ctx), 0);
	script_ctx_close(ctx);
	assert_int_equal(libiommu_ctx_config_set_fd(config, 50, LIBIOMMU_FD_BORROW), 0);
	assert_int_equal(libiommu_ctx_config_set_fd(config, -1, LIBIOMMU_FD_OWN), 0);
	EXPECT_OPEN("/dev/iommu", CTX_FD);
	assert_int_equal(open_with(config, &ctx), 0);
	script_ctx_close(ctx);
}

static void test_borrowed_fd_is_never_closed(void **state)
{
	struct libiommu_ctx_config *const config = script_ctx_config();
	struct libiommu_ctx *ctx;

	(void)state;
	script_lend_fd(50);
	libiommu_ctx_config_set_fd(config, 50, LIBIOMMU_FD_BORROW);
	assert_int_equal(open_with(config, &ctx), 0);
	assert_int_equal(libiommu_ctx_fd(ctx), 50);
	assert_int_equal(libiommu_ctx_destroy(ctx), 0);
	assert_true(script_fd_is_open(50));
}

static void test_owned_fd_is_closed(void **state)
{
	struct libiommu_ctx_config *const config = script_ctx_config();
	struct libiommu_ctx *ctx;

	(void)state;
	script_give_fd(50);
	libiommu_ctx_config_set_fd(config, 50, LIBIOMMU_FD_OWN);
	assert_int_equal(open_with(config, &ctx), 0);
	EXPECT_CLOSE(50);
	assert_int_equal(libiommu_ctx_destroy(ctx), 0);
}

static void test_duplicated_fd(void **state)
{
	struct libiommu_ctx_config *const config = script_ctx_config();
	struct libiommu_ctx *ctx = NULL;

	(void)state;
	script_lend_fd(50);
	libiommu_ctx_config_set_fd(config, 50, LIBIOMMU_FD_DUP);
	EXPECT_DUP(50, 51);
	assert_int_equal(libiommu_ctx_new(config, &ctx), 0);
	assert_int_equal(libiommu_ctx_fd(ctx), 51);
	EXPECT_CLOSE(51);
	assert_int_equal(libiommu_ctx_destroy(ctx), 0);

	ctx = NULL;
	EXPECT_DUP(50, -EMFILE);
	assert_int_equal(open_with(config, &ctx), -EMFILE);
	assert_failure(-EMFILE, KERNEL, "libiommu_ctx_new");
	assert_null(ctx);
}

static void test_open_fails(void **state)
{
	const int errors[] = {-ENOENT, -EACCES, -EMFILE, -ENODEV};

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct libiommu_ctx *ctx = NULL;

		EXPECT_OPEN("/dev/iommu", errors[i]);
		if (errors[i] == -ENOENT || errors[i] == -ENODEV)
			EXPECT_OPEN("/dev/vfio/vfio", -ENOENT);
		assert_int_equal(open_with(script_ctx_config(), &ctx), errors[i]);
		assert_failure(errors[i], KERNEL, "libiommu_ctx_new");
		assert_explained("/dev/iommu");
		assert_null(ctx);
	}
}

/* What a kernel without iommufd would explain, another path's absence does not. */
static void test_open_of_another_path_fails(void **state)
{
	struct libiommu_ctx_config *const config = script_ctx_config();
	struct libiommu_ctx *ctx = NULL;

	(void)state;
	EXPECT_OPEN("/dev/iommu", -ENOENT);
	EXPECT_OPEN("/dev/vfio/vfio", -ENOENT);
	assert_int_equal(libiommu_ctx_new(config, &ctx), -ENOENT);
	assert_explained("this kernel has no /dev/iommu");
	EXPECT_OPEN("/dev/other", -ENOENT);
	assert_int_equal(libiommu_ctx_config_set_path(config, "/dev/other"), 0);
	assert_int_equal(open_with(config, &ctx), -ENOENT);
	assert_explained("/dev/other; there is no such node");
	assert_null(ctx);
}

/* Not through a script: libc's own door says what there is. */
static void test_without_a_config(void **state)
{
	struct libiommu_ctx_config *config;
	struct libiommu_ctx *ctx = NULL;

	(void)state;
	assert_int_equal(libiommu_ctx_config_new(&config), 0);
	assert_int_equal(libiommu_ctx_config_set_path(config, "/nonexistent/iommu"), 0);
	assert_int_equal(open_with(config, &ctx), -ENOENT);
	assert_explained("/nonexistent/iommu");
	if (libiommu_ctx_new(NULL, &ctx) == 0)
		assert_int_equal(libiommu_ctx_destroy(ctx), 0);
	else
		assert_explained("/dev/iommu");
}

static void test_config_refuses(void **state)
{
	struct libiommu_ctx_config *const config = script_ctx_config();

	(void)state;
	assert_int_equal(libiommu_ctx_config_set_fd(config, -2, LIBIOMMU_FD_OWN), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_ctx_config_set_fd");
	assert_int_equal(libiommu_ctx_config_set_fd(config, 3, (enum libiommu_fd_mode)3), -EINVAL);
	assert_int_equal(libiommu_ctx_config_set_fd(config, 3, (enum libiommu_fd_mode) - 1),
	                 -EINVAL);
	assert_int_equal(libiommu_ctx_config_new(NULL), -EINVAL);
	assert_int_equal(libiommu_ctx_new(config, NULL), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_ctx_new");
	libiommu_ctx_config_free(config);
	libiommu_ctx_config_free(NULL);
}

/*
 * Libc's door again, where the scripted one was set; seen by what it says of a path that nobody
 * has.
 */
static void test_config_returns_to_libc(void **state)
{
	struct libiommu_ctx_config *const config = script_ctx_config();
	struct libiommu_ctx *ctx = NULL;

	(void)state;
	assert_int_equal(libiommu_ctx_config_set_sys(config, NULL), 0);
	assert_int_equal(libiommu_ctx_config_set_path(config, "/nonexistent/iommu"), 0);
	assert_int_equal(open_with(config, &ctx), -ENOENT);
}

static void test_without_memory(void **state)
{
	(void)state;
	ALLOC_LOOP
	{
		struct libiommu_ctx_config *config = NULL;

		if (!ALLOC_TRY(libiommu_ctx_config_new(&config)))
			libiommu_ctx_config_free(config);
		else
			assert_null(config);
	}
	ALLOC_LOOP
	{
		struct libiommu_ctx_config *const config = script_ctx_config();
		const bool failed = ALLOC_TRY(libiommu_ctx_config_set_path(config, "/dev/x"));
		struct libiommu_ctx *ctx;

		/* What was chosen before still is. */
		EXPECT_OPEN(failed ? "/dev/iommu" : "/dev/x", CTX_FD);
		assert_int_equal(open_with(config, &ctx), 0);
		script_ctx_close(ctx);
	}
	ALLOC_LOOP
	{
		struct libiommu_ctx_config *const config = script_ctx_config();
		struct libiommu_ctx *ctx;

		ALLOC_TRY(libiommu_ctx_config_set_sys(config, script_door()));
		EXPECT_OPEN("/dev/iommu", CTX_FD);
		assert_int_equal(open_with(config, &ctx), 0);
		script_ctx_close(ctx);
	}
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
	}
}

static void test_destroy_refuses_while_something_lives(void **state)
{
	struct libiommu_ctx *const ctx = script_ctx();
	struct libiommu_ioas *const ioas = script_ioas(ctx, 2);
	struct libiommu_device *const dev = script_device(ctx);
	struct libiommu_hwpt *const hwpt = script_hwpt(dev, DEVICE_ID, ioas, 2, 3);

	(void)state;
	assert_int_equal(libiommu_ctx_destroy(ctx), -EBUSY);
	assert_failure(-EBUSY, LIBRARY, "libiommu_ctx_destroy");
	assert_explained(": 1 IOAS, 1 device, 1 HWPT");
	script_hwpt_close(hwpt, 3);
	assert_int_equal(libiommu_ctx_destroy(ctx), -EBUSY);
	assert_explained(": 1 IOAS, 1 device");
	script_ioas_close(ioas, 2);
	assert_int_equal(libiommu_ctx_destroy(ctx), -EBUSY);
	assert_explained(": 1 device");
	script_device_close(dev);
	script_ctx_close(ctx);
	assert_int_equal(libiommu_ctx_destroy(NULL), 0);
}

static uint64_t live(const struct libiommu_ctx *ctx, enum libiommu_object_kind kind)
{
	uint64_t count = 99;

	assert_int_equal(libiommu_ctx_live(ctx, kind, &count), 0);
	return count;
}

static void test_live_counts_each_kind(void **state)
{
	struct libiommu_ctx *const ctx = script_ctx();
	struct libiommu_ioas *const ioas = script_ioas(ctx, 2);
	struct libiommu_ioas *const other = script_ioas(ctx, 3);
	struct libiommu_device *const dev = script_device(ctx);
	struct libiommu_hwpt *const hwpt = script_hwpt(dev, DEVICE_ID, ioas, 2, 4);
	uint64_t count = 99;

	(void)state;
	assert_int_equal(live(ctx, LIBIOMMU_OBJECT_IOAS), 2);
	assert_int_equal(live(ctx, LIBIOMMU_OBJECT_DEVICE), 1);
	assert_int_equal(live(ctx, LIBIOMMU_OBJECT_HWPT), 1);
	assert_int_equal(live(ctx, LIBIOMMU_OBJECT_BAR_MAP), 0);
	assert_int_equal(libiommu_ctx_destroy(ctx), -EBUSY);
	assert_explained("still exists: 2 IOAS, 1 device, 1 HWPT");
	script_hwpt_close(hwpt, 4);
	script_device_close(dev);
	script_ioas_close(other, 3);
	assert_int_equal(live(ctx, LIBIOMMU_OBJECT_IOAS), 1);
	assert_int_equal(live(ctx, LIBIOMMU_OBJECT_DEVICE), 0);
	assert_int_equal(live(ctx, LIBIOMMU_OBJECT_HWPT), 0);
	assert_int_equal(libiommu_ctx_live(ctx, (enum libiommu_object_kind)99, &count), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_ctx_live");
	assert_int_equal(libiommu_ctx_live(ctx, LIBIOMMU_OBJECT_IOAS, NULL), -EINVAL);
	assert_int_equal(libiommu_ctx_mapped(ctx, NULL), -EINVAL);
	assert_int_equal(count, 99);
	script_ioas_close(ioas, 2);
	script_ctx_close(ctx);
}

static void expect_option(uint16_t op, uint64_t in, uint64_t out, int result)
{
	EXPECT_IOCTL(CTX_FD, OPTION,
	             IN(struct uapi_option, .size = sizeof(struct uapi_option),
	                .option_id = UAPI_OPTION_RLIMIT_MODE, .op = op, .val64 = in),
	             SET(struct uapi_option, val64, out), .result = result);
}

static void test_rlimit_mode(void **state)
{
	struct libiommu_ctx *const ctx = script_ctx();
	enum libiommu_rlimit_mode mode = (enum libiommu_rlimit_mode)9;

	(void)state;
	expect_option(UAPI_OPTION_OP_SET, 1, 1, 0);
	assert_int_equal(libiommu_ctx_set_rlimit_mode(ctx, LIBIOMMU_RLIMIT_PER_PROCESS), 0);
	expect_option(UAPI_OPTION_OP_SET, 0, 0, 0);
	assert_int_equal(libiommu_ctx_set_rlimit_mode(ctx, LIBIOMMU_RLIMIT_PER_USER), 0);
	expect_option(UAPI_OPTION_OP_GET, 0, 1, 0);
	assert_int_equal(libiommu_ctx_get_rlimit_mode(ctx, &mode), 0);
	assert_int_equal(mode, LIBIOMMU_RLIMIT_PER_PROCESS);
	expect_option(UAPI_OPTION_OP_GET, 0, 0, 0);
	assert_int_equal(libiommu_ctx_get_rlimit_mode(ctx, &mode), 0);
	assert_int_equal(mode, LIBIOMMU_RLIMIT_PER_USER);
	script_ctx_close(ctx);
}

static void test_rlimit_mode_refused(void **state)
{
	struct libiommu_ctx *const ctx = script_ctx();
	enum libiommu_rlimit_mode mode = (enum libiommu_rlimit_mode)9;

	(void)state;
	expect_option(UAPI_OPTION_OP_SET, 1, 1, -EPERM);
	assert_int_equal(libiommu_ctx_set_rlimit_mode(ctx, LIBIOMMU_RLIMIT_PER_PROCESS), -EPERM);
	assert_failure(-EPERM, KERNEL, "libiommu_ctx_set_rlimit_mode");
	assert_explained("CAP_SYS_RESOURCE");
	expect_option(UAPI_OPTION_OP_GET, 0, 1, -EOPNOTSUPP);
	assert_int_equal(libiommu_ctx_get_rlimit_mode(ctx, &mode), -EOPNOTSUPP);
	assert_int_equal(mode, 9);
	assert_int_equal(libiommu_ctx_get_rlimit_mode(ctx, NULL), -EINVAL);
	assert_int_equal(libiommu_ctx_set_rlimit_mode(ctx, (enum libiommu_rlimit_mode)2), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_ctx_set_rlimit_mode");
	script_ctx_close(ctx);
}

struct told {
	int times;
	char text[256];
};

static void listen(void *user, enum libiommu_log_level level, const char *message)
{
	struct told *const told = user;

	assert_int_equal(level, LIBIOMMU_LOG_ERROR);
	told->times++;
	snprintf(told->text, sizeof(told->text), "%s", message);
}

static void test_log_hears_of_each_failure(void **state)
{
	struct libiommu_ctx_config *const config = script_ctx_config();
	struct told told = {0};
	struct libiommu_ctx *ctx;

	(void)state;
	assert_int_equal(libiommu_ctx_config_set_log(config, listen, &told), 0);
	EXPECT_OPEN("/dev/iommu", -ENOENT);
	EXPECT_OPEN("/dev/vfio/vfio", -ENOENT);
	assert_int_equal(libiommu_ctx_new(config, &ctx), -ENOENT);
	assert_int_equal(told.times, 1);
	assert_non_null(strstr(told.text, "libiommu_ctx_new: ENOENT from the kernel"));
	EXPECT_OPEN("/dev/iommu", CTX_FD);
	assert_int_equal(open_with(config, &ctx), 0);
	assert_int_equal(told.times, 1);
	assert_int_equal(libiommu_ioas_alloc(ctx, NULL), -EINVAL);
	assert_int_equal(told.times, 2);
	assert_non_null(strstr(told.text, "libiommu_ioas_alloc: EINVAL from the library"));
	script_ctx_close(ctx);
	assert_int_equal(told.times, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRIPT_TEST(test_default_path),
		SCRIPT_TEST(test_version),
		SCRIPT_TEST(test_chosen_path),
		SCRIPT_TEST(test_path_and_fd_undo_each_other),
		SCRIPT_TEST(test_borrowed_fd_is_never_closed),
		SCRIPT_TEST(test_owned_fd_is_closed),
		SCRIPT_TEST(test_duplicated_fd),
		SCRIPT_TEST(test_open_fails),
		SCRIPT_TEST(test_open_of_another_path_fails),
		SCRIPT_TEST(test_without_a_config),
		SCRIPT_TEST(test_config_refuses),
		SCRIPT_TEST(test_config_returns_to_libc),
		SCRIPT_TEST(test_without_memory),
		SCRIPT_TEST(test_destroy_refuses_while_something_lives),
		SCRIPT_TEST(test_live_counts_each_kind),
		SCRIPT_TEST(test_rlimit_mode),
		SCRIPT_TEST(test_rlimit_mode_refused),
		SCRIPT_TEST(test_log_hears_of_each_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
