/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The table of handlers: as an array would have it, and short searches. */
#include <string.h>

#include "script.h"

#include "../../lib/fault/tags.h"

static int handle(void *user, const struct libiommu_record *records, size_t count)
{
	(void)user;
	(void)records;
	return (int)count;
}

/* Against a plain array: tags close together, far apart, and all at home in the same place. */
static void test_the_table(void **state)
{
	static bool there[3 * 512];
	static uint64_t keys[3 * 512];
	struct tags tags = {0};
	struct handler found;
	uint32_t random = 1;
	size_t used = 0;

	(void)state;
	for (uint64_t i = 0; i < 512; i++) {
		keys[i] = i;
		keys[512 + i] = i << 52;
		/* The inverse of the multiplier: at home at the beginning and the end. */
		keys[1024 + i] = (i % 2 ? 0 - i : i) * UINT64_C(0xf1de83e19937733d);
	}
	memset(there, 0, sizeof(there));
	assert_false(li_tags_find(&tags, 0, &found));
	assert_false(li_tags_remove(&tags, 0));
	for (uint32_t step = 0; step < 200000; step++) {
		struct handler handler = {.handle = handle};
		uint32_t which;

		random = random * 1103515245 + 12345;
		which = (random >> 8) % (3 * 512);
		/* Keys 0 of the three are the same. */
		if (which % 512 == 0)
			which = 0;
		handler.user = &keys[which];
		/* It fills up, then empties, and again. */
		if ((random >> 4) % 16 < (step / 20000 % 2 ? 5U : 11U)) {
			assert_int_equal(li_tags_set(&tags, keys[which], &handler), 0);
			used += !there[which];
			there[which] = true;
		} else {
			assert_int_equal(li_tags_remove(&tags, keys[which]), there[which]);
			used -= there[which];
			there[which] = false;
		}
		assert_int_equal(tags.used, used);
		which = (which + step) % (3 * 512);
		if (which % 512 == 0)
			which = 0;
		assert_int_equal(li_tags_find(&tags, keys[which], &found), there[which]);
		if (there[which])
			assert_ptr_equal(found.user, &keys[which]);
	}
	for (uint32_t i = 0; i < 3 * 512; i++) {
		if (i % 512 == 0 && i)
			continue;
		assert_int_equal(li_tags_find(&tags, keys[i], &found), there[i]);
		if (there[i])
			assert_true(li_tags_remove(&tags, keys[i]));
	}
	assert_int_equal(tags.used, 0);
	li_tags_free(&tags);
}

/* However many tags there are, a lookup looks at few entries. */
static void test_lookups_stay_short(void **state)
{
	const struct handler handler = {.handle = handle};
	static const uint64_t steps[] = {1, 4096, UINT64_C(1) << 20, UINT64_C(1) << 40, 48};

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct tags tags = {0};
		size_t run = 0, longest = 0;

		for (uint64_t n = 0; n < 100000; n++)
			assert_int_equal(li_tags_set(&tags, n * steps[i], &handler), 0);
		for (size_t at = 0; at < (size_t)1 << tags.bits; at++) {
			run = tags.entries[at].handler.handle ? run + 1 : 0;
			if (run > longest)
				longest = run;
		}
		if (longest > 32)
			fail_msg("steps of %llx: %zu entries in a row",
			         (unsigned long long)steps[i], longest);
		li_tags_free(&tags);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRIPT_TEST(test_the_table),
		SCRIPT_TEST(test_lookups_stay_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
