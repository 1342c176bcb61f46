/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Many faults over 64 (device, vPASID) pairs, read and answered by several threads from two queues,
 * while half of the pairs are detached and replaced all the time. Of pairs that are left alone
 * every fault comes, and its answer is taken. Of all pairs, what the kernel has given, which the
 * door sees, the caller gets once and in its own terms; and the kernel gets one answer to it: the
 * caller's, or at the end of its attachment one that it has no use for, and then the caller's is
 * late.
 *
 * usage: vm-fault-many [FAULTS], 100000 unless said
 */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "../must.h"
#include "mock.h"

enum { DEVICES = 8, PASIDS = 8, PAIRS = DEVICES * PASIDS, WORKERS = 2, ROOM = 256 };

#define LABEL UINT64_C(0xfeed00000000)

static struct mock *mock;
static struct libiommu_ctx *ctx;
static struct libiommu_device *devs[DEVICES];
static struct libiommu_fault_queue *queues[2];
static struct libiommu_hwpt *own, *tables[2];
static unsigned int pasid_bits = 17;
static uint32_t pasids[PAIRS]; /* the kernel's */
static uint32_t faults = 100000;
static atomic_uchar *seen;
static atomic_uint read_alone, stale_alone, read_moved, stale_moved, untrue, twice;
static atomic_uint unequal;
static atomic_bool done;

/* vPASIDs that no other device has, in any order; half of them are larger than any PASID. */
static uint32_t vpasid_of(uint32_t pair)
{
	return 1 + pair * 37 % PAIRS * 4099;
}

/* The odd ones are moved about. */
static bool is_moved(uint32_t pair)
{
	return pair % 2;
}

static void check(const struct libiommu_record *fault)
{
	const uint64_t number = fault->address / 4096;
	const uint32_t pair = number % PAIRS;

	if (number >= faults || fault->label != LABEL + pair / PASIDS ||
	    fault->vpasid != vpasid_of(pair) || fault->tag != pair ||
	    fault->flags != (LIBIOMMU_RECORD_PASID | LIBIOMMU_RECORD_LAST))
		atomic_fetch_add(&untrue, 1);
	else if (atomic_exchange(&seen[number], 1))
		atomic_fetch_add(&twice, 1);
}

/* Answers one by one, so that it is known whose was stale. */
static void answer(struct libiommu_fault_queue *queue, const struct libiommu_record *fault)
{
	const struct libiommu_fault_response response = {.token = fault->token};
	const bool moved = is_moved((uint32_t)(fault->address / 4096 % PAIRS));
	size_t stale = 0;

	MUST(libiommu_fault_queue_respond(queue, &response, 1, &stale));
	atomic_fetch_add(moved ? &read_moved : &read_alone, 1);
	atomic_fetch_add(moved ? &stale_moved : &stale_alone, (unsigned int)stale);
}

static void *work(void *arg)
{
	struct libiommu_fault_queue *const queue = arg;
	struct libiommu_fault_batch *batch;

	MUST(libiommu_fault_batch_new(ROOM, &batch));
	for (;;) {
		const bool last = atomic_load(&done);
		const int got = libiommu_fault_queue_read(queue, batch);

		MUST(got);
		/* Some attachments end meanwhile. */
		if (got > 8)
			poll(NULL, 0, 1);
		for (int i = 0; i < got; i++) {
			check(libiommu_fault_batch_get(batch, (size_t)i));
			answer(queue, libiommu_fault_batch_get(batch, (size_t)i));
		}
		if (!got && last)
			break;
		if (!got)
			MUST(libiommu_fault_queue_wait(queue, 10));
	}
	libiommu_fault_batch_free(batch);
	return NULL;
}

static void attach(uint32_t pair)
{
	MUST(libiommu_pasid_attach(devs[pair / PASIDS], vpasid_of(pair), tables[pair / 2 % 2], pair,
	                           &pasids[pair]));
}

static void move(uint32_t pair)
{
	struct libiommu_device *const dev = devs[pair / PASIDS];

	MUST(libiommu_pasid_replace(dev, vpasid_of(pair), tables[(pair / 2 + 1) % 2], pair));
	MUST(libiommu_pasid_detach(dev, vpasid_of(pair)));
	attach(pair);
}

/*
 * In turn few faults wait, so that most are read before their attachment ends, and many, so that it
 * ends before they are.
 */
static void wait_for_readers(uint32_t number)
{
	const uint32_t ahead = number / 2048 % 2 ? 1024 : 16;

	while (number / 2 > atomic_load(&read_alone) + ahead)
		poll(NULL, 0, 1);
}

static void run(void)
{
	pthread_t workers[2 * WORKERS];

	for (int i = 0; i < 2 * WORKERS; i++)
		pthread_create(&workers[i], NULL, work, queues[i % 2]);
	for (uint32_t number = 0; number < faults; number++) {
		const uint32_t pair = number % PAIRS;

		wait_for_readers(number);
		/* The driver fails for a device that is being detached; this thread does that. */
		MUST(mock_fault(mock, devs[pair / PASIDS], pasids[pair], 1, LIBIOMMU_FAULT_READ,
		                number * UINT64_C(4096)));
		if (number % 16 == 5)
			move((number / 16 * 2 + 1) % PAIRS);
	}
	while (atomic_load(&read_alone) < faults / 2)
		poll(NULL, 0, 1);
	atomic_store(&done, true);
	for (int i = 0; i < 2 * WORKERS; i++)
		pthread_join(workers[i], NULL);
}

static void same(uint64_t is, uint64_t should_be, const char *what)
{
	if (is == should_be)
		return;
	printf("%s: %llu, not %llu\n", what, (unsigned long long)is, (unsigned long long)should_be);
	unequal++;
}

/* Whoever reads answers success, so that the two kinds of answers can be told apart. */
static void compare(void)
{
	const unsigned int got = read_alone + read_moved, stale = stale_alone + stale_moved;
	struct mock_answers answers;

	mock_get_answers(mock, &answers);
	same(answers.read, got, "faults that the kernel gave");
	same(answers.taken[LIBIOMMU_FAULT_SUCCESS], got - stale, "answers of the caller's taken");
	same(answers.refused[LIBIOMMU_FAULT_SUCCESS], 0, "answers of the caller's refused");
	same(answers.taken[LIBIOMMU_FAULT_INVALID], 0, "answers of the library's taken");
	same(answers.refused[LIBIOMMU_FAULT_INVALID], stale, "answers of the library's refused");
	same(stale_alone, 0, "answers to pairs left alone that were late");
	same(read_alone, faults / 2, "faults of pairs left alone");
	same(twice, 0, "read twice");
	same(untrue, 0, "not in the caller's terms");
}

int main(int argc, char **argv)
{
	struct libiommu_ioas *ioas;

	if (argc > 1)
		faults = (uint32_t)strtoul(argv[1], NULL, 10) / PAIRS * PAIRS;
	else
		faults = faults / PAIRS * PAIRS;
	seen = calloc(faults, sizeof(*seen));
	mock = mock_new();
	if (!mock)
		return 77;
	mock_set_ioctl(mock, mock_few_pasids, &pasid_bits);
	ctx = mock_ctx(mock);
	MUST(libiommu_ioas_alloc(ctx, &ioas));
	for (int i = 0; i < DEVICES; i++)
		devs[i] = mock_device(mock, ctx, LABEL + (uint64_t)i, true);
	own = mock_hwpt(devs[0], ioas, NULL);
	for (int i = 0; i < 2; i++) {
		MUST(libiommu_fault_queue_alloc(ctx, &queues[i]));
		tables[i] = mock_hwpt(devs[0], ioas, queues[i]);
	}
	for (int i = 0; i < DEVICES; i++)
		MUST(libiommu_device_attach_hwpt(devs[i], own));
	for (uint32_t pair = 0; pair < PAIRS; pair++)
		attach(pair);
	run();
	printf("%u faults; of pairs left alone %u read, of pairs moved %u read, %u answers late\n",
	       faults, read_alone, read_moved, stale_moved);
	compare();
	for (int i = 0; i < DEVICES; i++)
		MUST(libiommu_device_destroy(devs[i]));
	MUST(libiommu_hwpt_destroy(own));
	for (int i = 0; i < 2; i++) {
		MUST(libiommu_hwpt_destroy(tables[i]));
		MUST(libiommu_fault_queue_destroy(queues[i]));
	}
	MUST(libiommu_ioas_destroy(ioas));
	MUST(libiommu_ctx_destroy(ctx));
	mock_free(mock);
	free(seen);
	return unequal ? 1 : 0;
}
