/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Many faults over 64 (device, vPASID) pairs through two fault queues and one ring, driven by the
 * program's loop and by the library's thread, fed by read(), by io_uring and a queue by each, read
 * in this process and in another, while half of the pairs are detached and replaced all the time,
 * from one queue to the other.
 *
 * The test driver puts a fault into its queue before it returns, and this program raises none while
 * it moves the pair. So the faults of a queue must be delivered in the order they were raised in,
 * and none be missing but of an attachment that has ended by then: what the end found unread the
 * kernel has answered by itself. None comes after the end of its attachment. The reader's answer to
 * a pair that is left alone must be taken by the kernel; to one that is moved it is taken, or stale
 * because the attachment has ended. Each end is delivered once. All have the right label, vPASID,
 * tag and queue, whatever PASID the device has it under. And in the end the kernel waits for no
 * answer any more: it gives the lowest number to each group, and gives all of them out again.
 *
 * Of what is fed by read() the door sees every fault: there must be room for all in the ring, and
 * then what has been read is what is delivered, and what is answered. Where the kernel reads by
 * itself nobody sees what an end finds on its way, which is answered and need not be delivered any
 * more; there the ring has little room.
 *
 * usage: vm-ring-many [FAULTS [COMBINATION]...]: so many faults, 20000 unless said, in each of the
 * combinations 0 to 11. A million in each takes minutes on a quiet machine:
 *     scripts/vm-run --vfio none --timeout 9000 -- build/tests/vm/vm-ring-many 1000000
 */
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "../../lib/base/uapi/iommufd.h"
#include "ring-many-rig.h"

/*
 * More groups than the kernel can have waited for at a time; how often a pair is moved; and for
 * how long nothing may happen before something is lost.
 */
enum { COOKIES = 4096, MOVE_EVERY = 32, PATIENCE = 120 };

/*
 * Unread at most of the pairs left alone: in turn so few that the reader has most faults before
 * their attachment ends, and so many that it ends before they are read.
 */
static uint32_t ahead(uint32_t number)
{
	return number / 2048 % 2 ? 1024 : 16;
}

static void doze(void)
{
	nanosleep(&(const struct timespec){.tv_nsec = 200000}, NULL);
}

static double seconds(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void *shared(size_t size)
{
	void *const memory =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		exit(1);
	return memory;
}

static void raise_fault(struct rig *rig, uint32_t number)
{
	const uint32_t pair = number % MANY_PAIRS;

	atomic_store(&rig->many->epoch[number], (unsigned short)rig->epochs[pair]);
	MUST(mock_fault(rig->mock, rig->devs[pair / MANY_PASIDS], rig->pasids[pair],
	                number & 0xffff, many_permissions(number), number * MANY_PAGE));
}

static unsigned int come(const struct many *many)
{
	return atomic_load(&many->alone) + atomic_load(&many->moved) + atomic_load(&many->ends);
}

/* True once, and again for as long as there is hope. */
static bool waits(const struct many *many)
{
	static unsigned int last;
	static double since;

	if (come(many) != last || !since) {
		last = come(many);
		since = seconds();
	}
	doze();
	return seconds() < since + PATIENCE;
}

/*
 * Faults, and then a round of the pairs that are left alone: when those have come, there is nothing
 * behind them in either queue.
 */
static uint32_t raise_all(struct rig *rig)
{
	struct many *const many = rig->many;
	const uint32_t faults = many->faults;
	uint32_t alone = 0;

	for (uint32_t number = 0; number < many->numbers; number++) {
		const bool is_moved = many_is_moved(number % MANY_PAIRS);

		if (number >= faults && is_moved)
			continue;
		while (alone >= atomic_load(&many->alone) + ahead(number) && waits(many))
			;
		raise_fault(rig, number);
		alone += !is_moved;
		if (number < faults && number % MOVE_EVERY == 5)
			rig_move(rig, (number / MOVE_EVERY * 2 + 1) % MANY_PAIRS);
	}
	return alone;
}

static size_t unanswered(const struct rig *rig)
{
	size_t count, other;

	MUST(libiommu_fault_queue_outstanding(rig->queues[0], &count));
	MUST(libiommu_fault_queue_outstanding(rig->queues[1], &other));
	return count + other;
}

static uint64_t counter(const struct rig *rig, enum libiommu_ring_counter which)
{
	uint64_t value;

	MUST(libiommu_ring_counter(rig->ring, which, &value));
	return value;
}

static int faults_found;

static void expect(bool is_so, const char *what)
{
	if (!is_so) {
		printf("not so: %s\n", what);
		faults_found++;
	}
}

#define EXPECT(condition) expect((condition), #condition)

static uint64_t answers_to(const struct mock_answers *answers)
{
	return answers->taken[LIBIOMMU_FAULT_SUCCESS] + answers->taken[LIBIOMMU_FAULT_INVALID] +
	       answers->refused[LIBIOMMU_FAULT_SUCCESS] + answers->refused[LIBIOMMU_FAULT_INVALID];
}

/* What has come of the answers that the reader gave; no other one is taken. */
static uint64_t replies(const struct rig *rig)
{
	uint64_t count = counter(rig, LIBIOMMU_RING_STALE);

	for (int i = 0; i < 2; i++) {
		struct mock_answers answers;

		mock_get_answers_of(rig->mock, rig->queues[i], &answers);
		count += answers.taken[LIBIOMMU_FAULT_SUCCESS];
		count += answers.taken[LIBIOMMU_FAULT_INVALID];
	}
	return count;
}

/* What the kernel has given, the reader has got, and the kernel was answered. */
static void judge_queue(const struct rig *rig, int table, struct mock_answers *answers)
{
	const unsigned int came = rig->many->came[table];

	mock_get_answers_of(rig->mock, rig->queues[table], answers);
	printf("   queue %d: %llu read, %u came, answers: %llu and %llu taken, %llu too late\n",
	       table, (unsigned long long)answers->read, came,
	       (unsigned long long)answers->taken[LIBIOMMU_FAULT_SUCCESS],
	       (unsigned long long)answers->taken[LIBIOMMU_FAULT_INVALID],
	       (unsigned long long)answers->refused[LIBIOMMU_FAULT_INVALID]);
	if (rig->fed[table])
		EXPECT(answers_to(answers) >= came);
	else
		EXPECT(answers->read == came && answers_to(answers) == came);
	EXPECT(!answers->refused[LIBIOMMU_FAULT_SUCCESS]);
}

/* With the ring still there. */
static void judge(const struct rig *rig, uint32_t alone)
{
	struct many *const many = rig->many;
	const uint64_t stale = counter(rig, LIBIOMMU_RING_STALE);
	struct mock_answers answers[2];
	uint64_t taken[2];

	printf("   left alone: %u of %u; moved: %u of %u, %llu of the reader's answers stale; "
	       "ends: %u of %u\n",
	       many->alone, alone, many->moved, many->faults / 2, (unsigned long long)stale,
	       many->ends, rig->ends);
	for (int i = 0; i < 2; i++)
		judge_queue(rig, i, &answers[i]);
	for (int i = 0; i < 2; i++)
		taken[i] = answers[0].taken[i] + answers[1].taken[i];
	for (uint32_t pair = 0; pair < MANY_PAIRS; pair++)
		EXPECT((rig->pasids[pair] == many_vpasid(pair)) == many_is_identity(pair));
	EXPECT(many->alone == alone && many->ends == rig->ends);
	EXPECT(!many->untrue && !many->twice && !many->late && !many->lost);
	EXPECT(!unanswered(rig));
	EXPECT(taken[LIBIOMMU_FAULT_SUCCESS] == alone);
	EXPECT(taken[LIBIOMMU_FAULT_INVALID] + stale == many->moved);
	EXPECT(answers_to(&answers[0]) + answers_to(&answers[1]) <= alone + many->faults / 2);
	EXPECT(counter(rig, LIBIOMMU_RING_GROUPS) == come(many));
	EXPECT(counter(rig, LIBIOMMU_RING_SUCCESS) == alone);
	EXPECT(counter(rig, LIBIOMMU_RING_INVALID) + counter(rig, LIBIOMMU_RING_DROPPED) ==
	       many->moved);
	EXPECT(!counter(rig, LIBIOMMU_RING_OUTSTANDING) && !counter(rig, LIBIOMMU_RING_ERRORS));
	EXPECT(!counter(rig, LIBIOMMU_RING_EXPIRED) && !counter(rig, LIBIOMMU_RING_ABANDONED));
	EXPECT(!counter(rig, LIBIOMMU_RING_REFUSED) && !counter(rig, LIBIOMMU_RING_TOO_LARGE));
}

/* The kernel gives a group the lowest number that is free: one that still waits would keep its. */
static void probe(struct rig *rig, int table)
{
	const int fd = libiommu_fault_queue_fd(rig->queues[table]);
	const uint32_t pair = table ? 2 : 0; /* left alone, in this table */
	uint32_t kept = 0, got = 0;

	for (uint32_t i = 0; i < COOKIES; i++)
		MUST(mock_fault(rig->mock, rig->devs[0], rig->pasids[pair], 1, 1, 0));
	while (got < COOKIES) {
		struct uapi_hwpt_pgfault faults[64];
		const ssize_t size = read(fd, faults, sizeof(faults));

		if (size <= 0)
			break;
		for (size_t i = 0; i < (size_t)size / sizeof(faults[0]); i++)
			kept += faults[i].cookie != ++got;
	}
	EXPECT(got == COOKIES && !kept);
	for (uint32_t cookie = 1; cookie <= COOKIES; cookie++) {
		const struct uapi_hwpt_page_response response = {.cookie = cookie, .code = 1};

		EXPECT(write(fd, &response, sizeof(response)) == sizeof(response));
	}
}

/* The reader has all that must come, and all that it has said of it has been passed on. */
static bool is_done(const struct rig *rig, uint32_t alone)
{
	const struct many *const many = rig->many;

	return atomic_load(&many->alone) >= alone && atomic_load(&many->ends) >= rig->ends &&
	       !unanswered(rig) &&
	       replies(rig) >= atomic_load(&many->alone) + atomic_load(&many->moved);
}

static void begin(struct many *many)
{
	many->alone = many->moved = many->ends = 0;
	many->untrue = many->twice = many->late = many->lost = 0;
	for (int i = 0; i < 2; i++)
		many->came[i] = 0;
	for (uint32_t pair = 0; pair < MANY_PAIRS; pair++)
		many->lasting[pair] = 0;
}

static const char *feed(unsigned int how)
{
	if (how & BY_BOTH)
		return "read() and io_uring";
	return how & BY_IO_URING ? "io_uring" : "read()";
}

static void combine(struct rig *rig, unsigned int how)
{
	const double start = seconds();
	uint32_t alone;

	begin(rig->many);
	rig_open(rig, how);
	printf("%u: driven by %s, fed by %s, read in %s\n", how,
	       how & BY_THREAD ? "the library's thread" : "the program's loop", feed(how),
	       how & BY_PROCESS ? "another process" : "this process");
	if (!rig_open_ring(rig, how)) {
		/* Our kernels have io_uring; a test without it would prove nothing. */
		printf("   the kernel does not feed it that way\n");
		faults_found++;
	}
	alone = raise_all(rig);
	while (!is_done(rig, alone) && waits(rig->many))
		;
	judge(rig, alone);
	EXPECT(!rig_close_ring(rig, how));
	probe(rig, 0);
	probe(rig, 1);
	rig_close(rig);
	printf("   %.1f s\n", seconds() - start);
}

int main(int argc, char **argv)
{
	const uint32_t wanted = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 20000;
	const uint32_t faults = (wanted + MANY_PAIRS - 1) / MANY_PAIRS * MANY_PAIRS;
	struct rig rig = {.many = shared(sizeof(*rig.many))};
	unsigned int bits = MANY_PASID_BITS;

	setvbuf(stdout, NULL, _IOLBF, 0);
	rig.many->faults = faults;
	rig.many->numbers = faults + MANY_PAIRS;
	rig.many->epoch = shared(rig.many->numbers * sizeof(*rig.many->epoch));
	rig.mock = mock_new();
	if (!rig.mock)
		return 77;
	mock_set_ioctl(rig.mock, mock_few_pasids, &bits);
	for (unsigned int how = 0; argc < 3 && how < COMBINATIONS; how++)
		combine(&rig, how);
	for (int i = 2; i < argc; i++)
		combine(&rig, (unsigned int)strtoul(argv[i], NULL, 10) % COMBINATIONS);
	mock_free(rig.mock);
	return faults_found ? 1 : 0;
}
