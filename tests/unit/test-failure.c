/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The record of the last failure: what each accessor says, in words and in numbers, and to whom. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "limit.h"
#include "script.h"

#include "../../lib/base/failure.h"

static const struct failure_detail nothing;

static char *text_of_last(void)
{
	static char text[1024];
	const int length = libiommu_failure_text(text, sizeof(text));

	assert_int_equal(length, strlen(text));
	return text;
}

static void check_cleared(void)
{
	char text[8] = "xxxxxxx";
	uint32_t id = 1, other = 2;
	uint64_t start = 3, length = 4;

	assert_int_equal(libiommu_failure_error(), 0);
	assert_int_equal(libiommu_failure_origin(), LIBIOMMU_FAILURE_NONE);
	assert_string_equal(libiommu_failure_operation(), "");
	assert_int_equal(libiommu_failure_ids(&id, &other), -ENODATA);
	assert_int_equal(libiommu_failure_range(&start, &length), -ENODATA);
	assert_int_equal(id + other + start + length, 10);
	assert_int_equal(libiommu_failure_text(text, sizeof(text)), 0);
	assert_string_equal(text, "");
}

static void test_nothing_has_failed(void **state)
{
	(void)state;
	libiommu_failure_clear();
	check_cleared();
}

static void test_numbers(void **state)
{
	const struct failure_detail detail = {
		.id = 3, .other = 9, .start = 0x1000, .length = 0x2000};
	uint32_t id = 0, other = 0;
	uint64_t start = 0, length = 0;

	(void)state;
	assert_int_equal(li_failure_kernel(NULL, "libiommu_a", -EBUSY, CALL_DESTROY, &detail),
	                 -EBUSY);
	assert_int_equal(libiommu_failure_error(), -EBUSY);
	assert_int_equal(libiommu_failure_origin(), LIBIOMMU_FAILURE_KERNEL);
	assert_string_equal(libiommu_failure_operation(), "libiommu_a");
	assert_int_equal(libiommu_failure_ids(&id, &other), 0);
	assert_int_equal(id, 3);
	assert_int_equal(other, 9);
	assert_int_equal(libiommu_failure_range(&start, &length), 0);
	assert_int_equal(start, 0x1000);
	assert_int_equal(length, 0x2000);
	assert_int_equal(libiommu_failure_ids(NULL, &other), -EINVAL);
	assert_int_equal(libiommu_failure_ids(&id, NULL), -EINVAL);
	assert_int_equal(libiommu_failure_range(NULL, &length), -EINVAL);
	assert_int_equal(libiommu_failure_range(&start, NULL), -EINVAL);
	libiommu_failure_clear();
	check_cleared();
}

static void test_asking_wrongly_keeps_the_record(void **state)
{
	(void)state;
	li_failure_library(NULL, "libiommu_a", -EINVAL, "text", &nothing);
	assert_int_equal(libiommu_failure_text(NULL, 1), -EINVAL);
	assert_int_equal(libiommu_failure_ids(NULL, NULL), -EINVAL);
	assert_string_equal(text_of_last(), "libiommu_a: EINVAL from the library: text");
}

static void test_text_of_the_library(void **state)
{
	(void)state;
	li_failure_library(NULL, "libiommu_a", -ERANGE, "why",
	                   &(const struct failure_detail){.subject = "thing",
	                                                  .id = 2,
	                                                  .other = 5,
	                                                  .start = 0x10,
	                                                  .length = 32,
	                                                  .amount = 7,
	                                                  .unit = "eggs"});
	assert_string_equal(text_of_last(), "libiommu_a: ERANGE from the library: why: thing; ids "
	                                    "2 and 5; 32 bytes at 0x10; 7 eggs");
	/* Every piece of it can be missing. */
	li_failure_library(NULL, "libiommu_a", -ERANGE, "why",
	                   &(const struct failure_detail){.other = 5});
	assert_string_equal(text_of_last(), "libiommu_a: ERANGE from the library: why; id 5");
	/* Without a call of the kernel's there is no hint, however well the error is known. */
	li_failure_library(NULL, "libiommu_a", -ENOENT, "why", &nothing);
	assert_string_equal(text_of_last(), "libiommu_a: ENOENT from the library: why");
}

static void test_text_of_a_range(void **state)
{
	struct failure_detail detail = {.start = 0x10, .length = 32, .memory = 0xabc};

	(void)state;
	li_failure_library(NULL, "libiommu_a", -ERANGE, "why", &detail);
	assert_string_equal(text_of_last(), "libiommu_a: ERANGE from the library: why; 32 bytes of "
	                                    "memory at 0xabc, to 0x10");
	detail.anywhere = true;
	li_failure_library(NULL, "libiommu_a", -ERANGE, "why", &detail);
	assert_string_equal(
		text_of_last(),
		"libiommu_a: ERANGE from the library: why; 32 bytes of memory at 0xabc");
	detail.memory = 0;
	li_failure_library(NULL, "libiommu_a", -ERANGE, "why", &detail);
	assert_string_equal(text_of_last(), "libiommu_a: ERANGE from the library: why; 32 bytes");
}

static void test_text_of_the_kernel_has_its_hint(void **state)
{
	char want[1024];

	(void)state;
	li_failure_library(NULL, "libiommu_a", -EINVAL, "an older text", &nothing);
	li_failure_kernel(NULL, "libiommu_b", -EBUSY, CALL_DESTROY,
	                  &(const struct failure_detail){.id = 4});
	snprintf(want, sizeof(want), "libiommu_b: EBUSY from the kernel; id 4; %s",
	         li_hint_find(CALL_DESTROY, -EBUSY));
	assert_string_equal(text_of_last(), want);
	li_failure_kernel(NULL, "libiommu_b", -EXDEV, CALL_DESTROY, &nothing);
	assert_string_equal(text_of_last(), "libiommu_b: EXDEV from the kernel");
}

static const struct failure_detail too_much = {
	.id = 2,
	.length = (UINT64_C(32) << 20) - 4096,
	.amount = UINT64_C(48) << 20,
	.unit = "of no interest",
};

static void test_memory_is_explained_by_the_limit(void **state)
{
	(void)state;
	limit_set(1 << 20);
	li_failure_kernel(NULL, "libiommu_ioas_map", -ENOMEM, CALL_MAP, &too_much);
	assert_non_null(strstr(text_of_last(),
	                       "locked-memory limit 1 MiB, this context has mapped 48 MiB, asked "
	                       "for 32764 KiB more"));
	assert_non_null(strstr(text_of_last(), "RLIMIT_MEMLOCK"));
	assert_null(strstr(text_of_last(), "of no interest"));
	/* The default of older systems. */
	limit_set(64 << 10);
	assert_non_null(strstr(text_of_last(), "locked-memory limit 64 KiB, "));
	limit_restore();
}

static void test_memory_without_a_limit(void **state)
{
	(void)state;
	limit_set(RLIM_INFINITY);
	li_failure_kernel(NULL, "libiommu_ioas_map", -ENOMEM, CALL_MAP, &too_much);
	assert_non_null(strstr(text_of_last(), "unlimited"));
	assert_null(strstr(text_of_last(), "48 MiB"));
	limit_restore();
}

static void test_text_is_cut_and_counted(void **state)
{
	const char whole[] = "libiommu_a: EINVAL from the library: some text";
	char text[sizeof(whole) + 1];

	(void)state;
	li_failure_library(NULL, "libiommu_a", -EINVAL, "some text", &nothing);
	assert_int_equal(libiommu_failure_text(NULL, 0), sizeof(whole) - 1);
	for (size_t size = 1; size <= sizeof(text); size++) {
		const size_t fits = size < sizeof(whole) ? size - 1 : sizeof(whole) - 1;

		memset(text, '#', sizeof(text));
		assert_int_equal(libiommu_failure_text(text, size), sizeof(whole) - 1);
		assert_memory_equal(text, whole, fits);
		assert_int_equal(text[fits], '\0');
		if (size < sizeof(text))
			assert_int_equal(text[size], '#');
	}
}

static void test_a_long_subject_is_cut(void **state)
{
	char subject[600];

	(void)state;
	memset(subject, 's', sizeof(subject));
	subject[sizeof(subject) - 1] = '\0';
	li_failure_library(NULL, "libiommu_a", -EINVAL, "text",
	                   &(const struct failure_detail){.subject = subject});
	/* It is a copy: what it was made from may change. */
	memset(subject, 't', sizeof(subject) - 1);
	assert_non_null(strstr(text_of_last(), ": sss"));
	assert_null(strchr(strstr(text_of_last(), ": sss"), 't'));
}

static void *fail_elsewhere(void *arg)
{
	const char **const seen = arg;

	if (libiommu_failure_error())
		return NULL;
	li_failure_library(NULL, "libiommu_there", -EPERM, "there", &nothing);
	*seen = libiommu_failure_operation();
	return NULL;
}

static void test_each_thread_has_its_own(void **state)
{
	pthread_t thread;
	const char *seen = NULL;

	(void)state;
	li_failure_library(NULL, "libiommu_here", -EINVAL, "here", &nothing);
	assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, &seen), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_non_null(seen);
	assert_string_equal(seen, "libiommu_there");
	assert_string_equal(libiommu_failure_operation(), "libiommu_here");
	assert_int_equal(libiommu_failure_error(), -EINVAL);
}

struct told {
	int times;
	enum libiommu_log_level level;
	char text[1024];
};

static void listen(void *user, enum libiommu_log_level level, const char *message)
{
	struct told *const told = user;

	told->times++;
	told->level = level;
	snprintf(told->text, sizeof(told->text), "%s", message);
}

static void test_the_log_hears_the_same_words(void **state)
{
	struct told told = {.times = 0, .level = LIBIOMMU_LOG_INFO};
	const struct failure_log log = {listen, &told};
	const struct failure_log silent = {NULL, NULL};

	(void)state;
	li_failure_kernel(&log, "libiommu_a", -EBUSY, CALL_DESTROY, &nothing);
	assert_int_equal(told.times, 1);
	assert_int_equal(told.level, LIBIOMMU_LOG_ERROR);
	assert_string_equal(told.text, text_of_last());
	assert_null(strchr(told.text, '\n'));
	li_failure_library(&log, "libiommu_a", -EINVAL, "text", &nothing);
	assert_int_equal(told.times, 2);
	assert_string_equal(told.text, text_of_last());
	li_failure_library(&silent, "libiommu_b", -EINVAL, "text", &nothing);
	assert_int_equal(told.times, 2);
	assert_string_equal(libiommu_failure_operation(), "libiommu_b");
}

/* Asks for the text, and fails itself, which it hears of as well. */
static void listen_and_call(void *user, enum libiommu_log_level level, const char *message)
{
	const struct failure_log log = {listen_and_call, user};
	struct told *const told = user;

	told->level = level;
	assert_string_equal(message, text_of_last());
	if (!told->times++)
		li_failure_library(&log, "libiommu_b", -ENOENT, "its own", &nothing);
}

static void test_the_log_calls_the_library(void **state)
{
	struct told told = {.times = 0, .level = LIBIOMMU_LOG_INFO};
	const struct failure_log log = {listen_and_call, &told};

	(void)state;
	/* What the call returns is its own error all the same. */
	assert_int_equal(li_failure_library(&log, "libiommu_a", -EINVAL, "text", &nothing),
	                 -EINVAL);
	assert_int_equal(told.times, 2);
	assert_string_equal(text_of_last(), "libiommu_b: ENOENT from the library: its own");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRIPT_TEST(test_nothing_has_failed),
		SCRIPT_TEST(test_numbers),
		SCRIPT_TEST(test_asking_wrongly_keeps_the_record),
		SCRIPT_TEST(test_text_of_the_library),
		SCRIPT_TEST(test_text_of_a_range),
		SCRIPT_TEST(test_text_of_the_kernel_has_its_hint),
		SCRIPT_TEST(test_memory_is_explained_by_the_limit),
		SCRIPT_TEST(test_memory_without_a_limit),
		SCRIPT_TEST(test_text_is_cut_and_counted),
		SCRIPT_TEST(test_a_long_subject_is_cut),
		SCRIPT_TEST(test_each_thread_has_its_own),
		SCRIPT_TEST(test_the_log_hears_the_same_words),
		SCRIPT_TEST(test_the_log_calls_the_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
