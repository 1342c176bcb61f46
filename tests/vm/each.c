/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "each.h"

#include <string.h>

/* No call of the library makes as many. */
enum { MOST = 2000 };

void each_begin(struct each *each, const char *call)
{
	each->call = call;
	each->nth = 0;
	each->done = false;
	each->calls++;
	each->note(each->user);
}

bool each_arm(struct each *each)
{
	const int error = libiommu_failure_error();

	if (each->done)
		return false;
	if (each->nth && each->check)
		each->check(each->user);
	if (++each->nth > MOST)
		fail_msg("%s: fails for ever, now with %d", each->call, error);
	assert_int_equal(each->start(each->user, each->nth), 0);
	return true;
}

bool each_judge(struct each *each, int result)
{
	const int failed = each->stop(each->user);
	char text[256];

	assert_true(failed == 0 || failed == 1);
	if (!failed) {
		if (result < 0) {
			libiommu_failure_text(text, sizeof(text));
			fail_msg("%s: %d, after %u allocations that failed: %s", each->call, result,
			         each->nth - 1, text);
		}
		each->done = true;
		return false;
	}
	if (result >= 0) {
		each->borne++;
		return true;
	}
	each->refused++;
	return false;
}

void each_report(const struct each *each)
{
	print_message("# %u calls were refused %u times, and %u times did without what failed\n",
	              each->calls, each->refused, each->borne);
}
