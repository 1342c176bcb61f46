/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* That the scripted door plays back what it was told, and that what it hands out is told apart. */
#include "alloc.h"
#include "objects.h"
#include "paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

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

/*
 * What must fail a test: each of these is run in a child process of its own, which must end with
 * one test failed. A door that lets everything pass would prove nothing.
 */
static void wrong_call(void **state)
{
	(void)state;
	EXPECT_IOCTL(CTX_FD, IOAS_ALLOC, .result = 0);
	script_lend_fd(CTX_FD);
	li_sys_ioctl(script_door(), CTX_FD, UAPI_IOC_DESTROY, NULL);
}

static void wrong_bytes(void **state)
{
	struct uapi_destroy cmd = {.size = sizeof(cmd), .id = 3};

	(void)state;
	script_lend_fd(CTX_FD);
	expect_destroy(2, 0);
	li_sys_ioctl(script_door(), CTX_FD, UAPI_IOC_DESTROY, &cmd);
}

static void wrong_order(void **state)
{
	(void)state;
	EXPECT_OPEN("/dev/a", 50);
	EXPECT_OPEN("/dev/b", 51);
	li_sys_open(script_door(), "/dev/b", O_RDWR);
}

static void left_over(void **state)
{
	(void)state;
	EXPECT_OPEN("/dev/a", 50);
}

static void never_closed(void **state)
{
	(void)state;
	EXPECT_OPEN("/dev/a", 50);
	li_sys_open(script_door(), "/dev/a", O_RDWR);
}

static void closed_twice(void **state)
{
	(void)state;
	script_give_fd(50);
	li_sys_close(script_door(), 50);
	li_sys_close(script_door(), 50);
}

static void lent_and_closed(void **state)
{
	(void)state;
	script_lend_fd(50);
	li_sys_close(script_door(), 50);
}

static void used_after_close(void **state)
{
	char byte;

	(void)state;
	script_give_fd(50);
	li_sys_close(script_door(), 50);
	EXPECT(READ, .fd = 50, .length = 1);
	li_sys_read(script_door(), 50, &byte, 1);
}

static void never_unmapped(void **state)
{
	void *at;

	(void)state;
	EXPECT(MMAP, .fd = -1, .length = 8, .address = &at);
	li_sys_mmap(script_door(), NULL, 8, 0, 0, -1, 0, &at);
}

static void unmapped_twice(void **state)
{
	(void)state;
	li_sys_munmap(script_door(), &state, 8);
}

static void *volatile lost;

static void never_freed(void **state)
{
	(void)state;
	lost = malloc(1);
}

/* Takes no notice of memory. */
static int careless(void)
{
	lost = malloc(1);
	free(lost);
	return 0;
}

static void alloc_failure_unnoticed(void **state)
{
	(void)state;
	ALLOC_LOOP
	ALLOC_TRY(careless());
}

static int leaking(void)
{
	void *const first = malloc(1);
	void *const second = malloc(1);

	/* Kept where a leak checker sees it. */
	lost = first ? first : second;
	if (!first || !second)
		return -ENOMEM;
	free(first);
	free(second);
	return 0;
}

static void alloc_failure_leaks(void **state)
{
	(void)state;
	ALLOC_LOOP
	ALLOC_TRY(leaking());
}

static int frugal(void)
{
	return 0;
}

static void alloc_loop_without_allocation(void **state)
{
	(void)state;
	ALLOC_LOOP
	ALLOC_TRY(frugal());
}

/* Returns whether the test passed. */
static bool passes(const struct CMUnitTest *test)
{
	int status;
	pid_t child;

	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		const int null = open("/dev/null", O_WRONLY);

		/* What it says is what the test is about to be told in one number. */
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		_exit(_cmocka_run_group_tests("child", test, 1, NULL, NULL) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
	return !WEXITSTATUS(status);
}

static void test_what_must_fail_does(void **state)
{
	static const struct CMUnitTest failing[] = {
		SCRIPT_TEST(wrong_call),          SCRIPT_TEST(wrong_bytes),
		SCRIPT_TEST(wrong_order),         SCRIPT_TEST(left_over),
		SCRIPT_TEST(never_closed),        SCRIPT_TEST(closed_twice),
		SCRIPT_TEST(lent_and_closed),     SCRIPT_TEST(used_after_close),
		SCRIPT_TEST(never_unmapped),      SCRIPT_TEST(unmapped_twice),
		SCRIPT_TEST(never_freed),         SCRIPT_TEST(alloc_failure_unnoticed),
		SCRIPT_TEST(alloc_failure_leaks), SCRIPT_TEST(alloc_loop_without_allocation),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(failing) / sizeof(failing[0]); i++)
		if (passes(&failing[i]))
			fail_msg("%s does not fail", failing[i].name);
	/* And not because nothing could pass there. */
	assert_true(passes(&(const struct CMUnitTest)SCRIPT_TEST(test_paths)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRIPT_TEST(test_objects_come_and_go),
		SCRIPT_TEST(test_paths),
		SCRIPT_TEST(test_alloc_loop_meets_every_allocation),
		cmocka_unit_test(test_what_must_fail_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
