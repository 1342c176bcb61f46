/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Every errno value has its name, and every hint a way to be found. */
#include <string.h>

#include "script.h"

/* The table itself, which nobody else sees. */
#include "../../lib/base/hints.c"

static const struct {
	int error;
	const char *name;
} names[] = {
#define NAME(error)                                                                                \
	{                                                                                          \
		error, #error                                                                      \
	}
	NAME(EPERM),     NAME(ENOENT),    NAME(EINTR),      NAME(EIO),          NAME(ENXIO),
	NAME(E2BIG),     NAME(EBADF),     NAME(EAGAIN),     NAME(ENOMEM),       NAME(EACCES),
	NAME(EFAULT),    NAME(EBUSY),     NAME(EEXIST),     NAME(EXDEV),        NAME(ENODEV),
	NAME(ENOTDIR),   NAME(EISDIR),    NAME(EINVAL),     NAME(ENFILE),       NAME(EMFILE),
	NAME(ENOTTY),    NAME(EFBIG),     NAME(ENOSPC),     NAME(ESPIPE),       NAME(EROFS),
	NAME(ERANGE),    NAME(ENOSYS),    NAME(ELOOP),      NAME(ENAMETOOLONG), NAME(ENODATA),
	NAME(ETIME),     NAME(EOVERFLOW), NAME(ENOTUNIQ),   NAME(EBADFD),       NAME(EMSGSIZE),
	NAME(ENOBUFS),   NAME(ETIMEDOUT), NAME(EADDRINUSE), NAME(EOPNOTSUPP),   NAME(EALREADY),
	NAME(ECANCELED),
#undef NAME
};

static void test_errno_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_string_equal(li_hint_errno_name(-names[i].error), names[i].name);
	/* One that the library never returns by itself is told in libc's words. */
	assert_string_equal(li_hint_errno_name(-EDOM), strerror(EDOM));
}

static void test_every_hint_can_be_found(void **state)
{
	(void)state;
	/* A second entry for the same answer would never be. */
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		assert_ptr_equal(li_hint_find(hints[i].call, -hints[i].error), hints[i].text);
}

static void test_hints_fit_into_a_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		const char *const text = hints[i].text;

		assert_in_range(strlen(text), 1, 200);
		assert_null(strchr(text, '\n'));
		/* More may follow it. */
		assert_true(text[strlen(text) - 1] != '.');
	}
}

static void test_each_error_of_a_hint_has_a_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		assert_int_equal(li_hint_errno_name(-hints[i].error)[0], 'E');
}

static void test_no_hint(void **state)
{
	(void)state;
	assert_string_equal(li_hint_find(CALL_NONE, -EINVAL), "");
	assert_string_equal(li_hint_find(CALL_MAP, -EDOM), "");
	/* Errors are negative; the positive number is not one. */
	assert_string_equal(li_hint_find(CALL_MAP, EINVAL), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRIPT_TEST(test_errno_names),
		SCRIPT_TEST(test_every_hint_can_be_found),
		SCRIPT_TEST(test_hints_fit_into_a_line),
		SCRIPT_TEST(test_each_error_of_a_hint_has_a_name),
		SCRIPT_TEST(test_no_hint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
