/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */
#include "handler.h"

#include <errno.h>
#include <grp.h>
#include <libiommu.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { BATCH = 64, NOBODY = 65534 };

/*
 * What the reader needs it has by now. From here on this process cannot open anything, whoever
 * takes it over: every number below the limit is in use, and poll() is allowed as many.
 */
static bool give_up_rights(void)
{
	const struct rlimit files = {.rlim_cur = 3, .rlim_max = 3};

	if (!geteuid() && (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY)))
		return false;
	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) && !setrlimit(RLIMIT_NOFILE, &files);
}

/*
 * Here a real handler makes the page present: in the guest's page table, which the IOMMU walks and
 * this process can write; or it asks whoever may map. This one only knows what is allowed.
 */
static uint32_t answer(const struct libiommu_record *records, size_t count,
                       const struct window *window)
{
	for (size_t i = 0; i < count; i++)
		if (records[i].kind != LIBIOMMU_RECORD_FAULT ||
		    records[i].address - window->start >= window->size)
			return LIBIOMMU_FAULT_INVALID;
	return LIBIOMMU_FAULT_SUCCESS;
}

/* Up to a batch of groups, as they come: how many of them want an answer, or -errno. */
static int take(struct libiommu_reader *reader, const struct window *window,
                struct libiommu_completion *completions)
{
	const struct libiommu_record *records;
	size_t count;
	int made = 0, result = 1;

	for (int i = 0; i < BATCH && result == 1; i++) {
		result = libiommu_reader_next(reader, &records, &count);
		/* The end of an attachment, for one, wants none. */
		if (result == 1 && records->token)
			completions[made++] = (struct libiommu_completion){
				.token = records->token,
				.queue = records->queue,
				.code = answer(records, count, window),
			};
	}
	return result < 0 ? result : made;
}

static int serve(struct libiommu_reader *reader, const struct window *window)
{
	struct libiommu_completion completions[BATCH];
	int made = 0, sent = 0, result = 0;

	for (;;) {
		if (sent == made) {
			sent = 0;
			made = take(reader, window, completions);
			if (made < 0)
				return made;
			libiommu_reader_release(reader);
		}
		if (made > sent) {
			result = libiommu_reader_complete(reader, completions + sent,
			                                  (size_t)(made - sent));
			sent += result > 0 ? result : 0;
		}
		/* There is nothing to take, or no room for what is done. */
		if (!made || sent < made)
			result = libiommu_reader_sleep(reader, -1);
		if (result < 0 && result != -EINTR)
			return result;
	}
}

int handler_run(int socket, const struct window *window)
{
	struct libiommu_reader *reader;
	char text[512];
	int error = libiommu_reader_open(NULL, socket, LIBIOMMU_FD_BORROW, &reader);

	if (!error && !give_up_rights()) {
		fprintf(stderr, "handler: %s\n", strerror(errno));
		libiommu_reader_free(reader);
		return EXIT_FAILURE;
	}
	if (!error) {
		error = serve(reader, window);
		libiommu_reader_free(reader);
	}
	/* The owner is gone, or has had enough of this handler. */
	if (error == -EPIPE)
		return EXIT_SUCCESS;
	libiommu_failure_text(text, sizeof(text));
	fprintf(stderr, "handler: %s\n", text);
	return EXIT_FAILURE;
}
