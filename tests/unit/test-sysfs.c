/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* That attributes, links and directories are read whole, and that what cannot be is an error. */
#include "alloc.h"
#include "paths.h"
#include "script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../lib/base/sysfs.h"

#define ATTRIBUTE "/sys/attribute"
#define LINK      "/sys/link"
#define DIR       "/sys/dir"

static void test_one_newline_is_cut(void **state)
{
	const struct {
		const char *content;
		const char *text;
	} cases[] = {
		{"hello\n", "hello"}, {"hello", "hello"}, {"a\n\n", "a\n"}, {"\n", ""}, {"", ""},
	};
	char text[16];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		path_text(ATTRIBUTE, cases[i].content);
		assert_int_equal(li_sysfs_read(script_door(), ATTRIBUTE, text, sizeof(text)),
		                 strlen(cases[i].text));
		assert_string_equal(text, cases[i].text);
		assert_int_equal(paths_open_fds(), 0);
	}
}

static void test_a_text_that_does_not_fit(void **state)
{
	char text[8];

	(void)state;
	path_text(ATTRIBUTE, "1234567");
	assert_int_equal(li_sysfs_read(script_door(), ATTRIBUTE, text, sizeof(text)), 7);
	assert_string_equal(text, "1234567");
	path_text(ATTRIBUTE, "12345678");
	assert_int_equal(li_sysfs_read(script_door(), ATTRIBUTE, text, sizeof(text)),
	                 -ENAMETOOLONG);
	assert_int_equal(paths_open_fds(), 0);
}

/* The kernel may return less than was asked for at any time; only 0 is the end. */
static void test_short_reads_are_continued(void **state)
{
	char text[16];

	(void)state;
	EXPECT(OPEN, .path = ATTRIBUTE, .flags = 0, .result = 50);
	EXPECT(READ, .fd = 50, .length = 16, OUT_BYTES("ab", 2), .result = 2);
	EXPECT(READ, .fd = 50, .length = 14, OUT_BYTES("c\n", 2), .result = 2);
	EXPECT(READ, .fd = 50, .length = 12, .result = 0);
	EXPECT_CLOSE(50);
	assert_int_equal(li_sysfs_read(script_door(), ATTRIBUTE, text, sizeof(text)), 3);
	assert_string_equal(text, "abc");
}

static void test_read_errors_are_passed_on(void **state)
{
	char text[8];

	(void)state;
	assert_int_equal(li_sysfs_read(script_door(), ATTRIBUTE, text, sizeof(text)), -ENOENT);
	path_error(ATTRIBUTE, -EACCES);
	assert_int_equal(li_sysfs_read(script_door(), ATTRIBUTE, text, sizeof(text)), -EACCES);
	path_read_error(ATTRIBUTE, -EIO);
	assert_int_equal(li_sysfs_read(script_door(), ATTRIBUTE, text, sizeof(text)), -EIO);
	assert_int_equal(paths_open_fds(), 0);
}

static void test_numbers(void **state)
{
	const struct {
		const char *content;
		uint64_t number;
	} cases[] = {
		{"0\n", 0},
		{"42\n", 42},
		{"010\n", 10},
		{"0x1af4\n", 0x1af4},
		{"0x010802\n", 0x010802},
		{"0xFFFFFFFFFFFFFFFF", UINT64_MAX},
		{"18446744073709551615", UINT64_MAX},
	};
	uint64_t number;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		number = 77;
		path_text(ATTRIBUTE, cases[i].content);
		assert_int_equal(li_sysfs_number(script_door(), ATTRIBUTE, &number), 0);
		assert_int_equal(number, cases[i].number);
	}
}

static void test_what_is_no_number(void **state)
{
	static const char *const cases[] = {
		"",        "0x",
		"x",       "-1",
		"+1",      " 1",
		"1 2",     "12a",
		"0x0x1",   "0x-1",
		"1\n2",    "18446744073709551616",
		"0xgreat", "12345678901234567890123456789012",
	};
	uint64_t number = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		path_text(ATTRIBUTE, cases[i]);
		assert_int_equal(li_sysfs_number(script_door(), ATTRIBUTE, &number), -EINVAL);
		assert_int_equal(number, 77);
	}
	path_read_error(ATTRIBUTE, -EIO);
	assert_int_equal(li_sysfs_number(script_door(), ATTRIBUTE, &number), -EIO);
	assert_int_equal(number, 77);
}

static void test_last_part_of_a_link(void **state)
{
	char name[8];

	(void)state;
	path_link(LINK, "../../bus/pci/drivers/nvme");
	assert_int_equal(li_sysfs_link(script_door(), LINK, name, sizeof(name)), 4);
	assert_string_equal(name, "nvme");
	path_link(LINK, "1234567");
	assert_int_equal(li_sysfs_link(script_door(), LINK, name, sizeof(name)), 7);
	assert_string_equal(name, "1234567");
	path_link(LINK, "x/12345678");
	assert_int_equal(li_sysfs_link(script_door(), LINK, name, sizeof(name)), -ENAMETOOLONG);
	assert_string_equal(name, "1234567");
	path_error(LINK, -EINVAL);
	assert_int_equal(li_sysfs_link(script_door(), LINK, name, sizeof(name)), -EINVAL);
}

static void test_names(void **state)
{
	static const char expected[] = "one\0two\0three\0";
	char *names = NULL;

	(void)state;
	path_list(DIR, "one two three");
	assert_int_equal(li_sysfs_names(script_door(), DIR, &names), 0);
	assert_memory_equal(names, expected, sizeof(expected));
	free(names);
	path_list(DIR, "");
	assert_int_equal(li_sysfs_names(script_door(), DIR, &names), 0);
	assert_string_equal(names, "");
	free(names);
	names = NULL;
	path_error(DIR, -EMFILE);
	assert_int_equal(li_sysfs_names(script_door(), DIR, &names), -EMFILE);
	assert_null(names);
}

/* Eight bytes each, their ends included. */
static void fill(char *content, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		content += sprintf(content, "name%03u ", i);
}

/* Around what fits at the first look, and far beyond it. */
static void test_many_names(void **state)
{
	static const unsigned int counts[] = {127, 128, 129, 240};

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		char content[2048];
		char *names = NULL;
		const char *name;

		fill(content, counts[i]);
		path_list(DIR, content);
		assert_int_equal(li_sysfs_names(script_door(), DIR, &names), 0);
		name = names;
		for (unsigned int n = 0; n < counts[i]; n++) {
			char expected[16];

			snprintf(expected, sizeof(expected), "name%03u", n);
			assert_string_equal(name, expected);
			name += strlen(name) + 1;
		}
		assert_string_equal(name, "");
		free(names);
	}
}

/* It has grown between two looks, by more than was allowed for. */
static void test_a_directory_that_grows(void **state)
{
	char *names = NULL;

	(void)state;
	EXPECT(LIST, .path = DIR, .result = 5000);
	EXPECT(LIST, .path = DIR, .result = 9000);
	EXPECT(LIST, .path = DIR, OUT_BYTES("a\0b", 4), .result = 4);
	assert_int_equal(li_sysfs_names(script_door(), DIR, &names), 0);
	assert_memory_equal(names, "a\0b\0", 5);
	free(names);
}

static void test_names_without_memory(void **state)
{
	char content[2048];

	(void)state;
	fill(content, 240);
	path_list(DIR, content);
	ALLOC_LOOP
	{
		char *names = NULL;

		if (ALLOC_TRY(li_sysfs_names(script_door(), DIR, &names)))
			assert_null(names);
		else
			free(names);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRIPT_TEST(test_one_newline_is_cut),
		SCRIPT_TEST(test_a_text_that_does_not_fit),
		SCRIPT_TEST(test_short_reads_are_continued),
		SCRIPT_TEST(test_read_errors_are_passed_on),
		SCRIPT_TEST(test_numbers),
		SCRIPT_TEST(test_what_is_no_number),
		SCRIPT_TEST(test_last_part_of_a_link),
		SCRIPT_TEST(test_names),
		SCRIPT_TEST(test_many_names),
		SCRIPT_TEST(test_a_directory_that_grows),
		SCRIPT_TEST(test_names_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
