/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The end that takes: whatever is wrong with an image is an error, and nothing is left. */
#include <stdlib.h>

#include "alloc.h"
#include "handover-steps.h"

#include "../../lib/handover/index.h"
#include "../../lib/handover/record.h"

enum { DEVICE_SIZE = 72, GROUPS_SIZE = 24, QUEUE_ENTRY = 1 };

static struct world here;
static struct libiommu_handover *handover;
static unsigned char *image; /* a copy, for the test to change */
static size_t size;
static uint64_t token;

static int setup(void **state)
{
	const void *bytes;

	script_setup(state);
	world_make(&here);
	token = world_fault(&here, H_QUEUE_FD, 5, 1);
	handover = world_hand_over(&here);
	assert_int_equal(libiommu_handover_image(handover, &bytes, &size), 0);
	image = malloc(size);
	assert_non_null(image);
	memcpy(image, bytes, size);
	world_give_fds();
	return 0;
}

static int teardown(void **state)
{
	world_take_back_fds();
	free(image);
	assert_int_equal(libiommu_handover_commit(handover), 0);
	libiommu_handover_free(handover);
	world_close(&here, false, 0);
	return script_teardown(state);
}

static void refused(int error, const char *words)
{
	struct libiommu_takeover *takeover = NULL;

	assert_int_equal(world_load(image, size, &takeover), error);
	assert_null(takeover);
	assert_failure(error, LIBRARY, "libiommu_takeover_load");
	assert_explained(words);
}

/* The image as a test wants it, field by field. */
static uint32_t get(size_t at)
{
	uint32_t value;
	struct walk walk = li_walk_reader(image + at, 4);

	li_walk_u32(&walk, &value);
	return value;
}

static void put(size_t at, uint32_t value)
{
	const unsigned char bytes[4] = {(unsigned char)value, (unsigned char)(value >> 8),
	                                (unsigned char)(value >> 16), (unsigned char)(value >> 24)};

	memcpy(image + at, bytes, sizeof(bytes));
}

/* Where an entry of a kind has its record; the @nth. */
static size_t record_of(uint32_t kind, unsigned int nth)
{
	size_t at = IMAGE_HEADER_SIZE + 4 * H_FDS;

	while (get(at) != kind || nth--) {
		at += ENTRY_HEADER_SIZE + get(at + 4);
		assert_in_range(at, 0, size - 1);
	}
	return at + ENTRY_HEADER_SIZE;
}

/* With another value in its place it is refused for this reason; and is as it was afterwards. */
static void refused_with(size_t at, uint32_t value, int error, const char *words)
{
	const uint32_t old = get(at);

	put(at, value);
	refused(error, words);
	put(at, old);
}

static void test_header(void **state)
{
	(void)state;
	refused_with(0, 1, -EBADMSG, "it is no image of a context");
	refused_with(8, 2, -EOPNOTSUPP, "it was written by a newer library");
	refused_with(8, 0, -EBADMSG, "its header is damaged");
	refused_with(20, 1, -EBADMSG, "its header is damaged");
	refused_with(24, get(24) + 1, -EBADMSG, "its header is damaged");
	refused_with(12, 0, -EBADMSG, "it has not the descriptors that it says");
	refused_with(12, 1 << 30, -EBADMSG, "it has not the descriptors that it says");
	refused_with(12, H_FDS - 1, -EINVAL, "it has not as many descriptors as were given");
	refused_with(16, get(16) - 1, -EBADMSG, "there is something behind the last entry");
	refused_with(16, get(16) + 1, -EBADMSG, "it ends inside an entry");
}

static void test_entries(void **state)
{
	const size_t ioas = record_of(LIBIOMMU_OBJECT_IOAS, 0);
	const size_t hwpt = record_of(LIBIOMMU_OBJECT_HWPT, 0);
	const size_t next = record_of(LIBIOMMU_OBJECT_HWPT, 1);

	(void)state;
	refused_with(ioas - 16, LIBIOMMU_OBJECT_RING, -EOPNOTSUPP, "this library does not know");
	refused_with(ioas - 16, 4711, -EOPNOTSUPP, "this library does not know");
	refused_with(ioas - 12, 8, -EBADMSG, "a record ends too early");
	refused_with(ioas - 12, get(ioas - 12) + 4, -E2BIG, "more than this library knows");
	refused_with(ioas - 12, UINT32_MAX, -EBADMSG, "it ends inside an entry");
	refused_with(next - 8, get(hwpt - 8), -EBADMSG, "two objects of a kind");
	refused_with(ioas, 0, -EBADMSG, "an id that no kernel gives");
	refused_with(ioas, UINT32_C(1) << 31, -EBADMSG, "an id that no kernel gives");
	refused_with(ioas + 4, 2, -EBADMSG, "neither yes nor no");
	refused_with(ioas + 12, UINT32_C(1) << 31, -EBADMSG, "more is mapped than can be");
	refused_with(ioas + 16, get(ioas + 8) + 1, -EBADMSG, "more is mapped than can be");
}

static void test_page_tables(void **state)
{
	const size_t at = record_of(LIBIOMMU_OBJECT_HWPT, 0);
	const size_t with_queue = record_of(LIBIOMMU_OBJECT_HWPT, 2);
	const size_t viommu = record_of(LIBIOMMU_OBJECT_VIOMMU, 0);

	(void)state;
	refused_with(at, 0, -EBADMSG, "an id that no kernel gives");
	refused_with(at + 12, 3, -EBADMSG, "a state that there is not");
	refused_with(at + 16, 1, -EBADMSG, "on something that can have none");
	refused_with(at + 16, 2, -EBADMSG, "on something that can have none");
	refused_with(at + 16, 4711, -EBADMSG, "on something that can have none");
	refused_with(with_queue + 20, 0, -EBADMSG, "not there, or of another kind");
	refused_with(viommu + 12, 1, -EBADMSG, "not there, or of another kind");
	refused_with(viommu + 16, 7, -EBADMSG, "a record ends too early");
	refused_with(viommu + 16, 5, -E2BIG, "more than this library knows");
	refused_with(viommu + 4, 2, -EBADMSG, "neither yes nor no");
	refused_with(record_of(LIBIOMMU_OBJECT_PASID_SPACE, 0), 2, -EBADMSG, "unknown flags");
}

static void test_queues(void **state)
{
	const size_t at = record_of(LIBIOMMU_OBJECT_FAULT_QUEUE, 0);
	const size_t events = record_of(LIBIOMMU_OBJECT_VEVENTQ, 0);
	const size_t hw_queue = record_of(LIBIOMMU_OBJECT_HW_QUEUE, 0);
	const size_t vdevice = record_of(LIBIOMMU_OBJECT_VDEVICE, 0);

	(void)state;
	refused_with(at + 8, 0, -EBADMSG, "a descriptor that is not there, or somebody else's");
	refused_with(at + 8, H_FDS, -EBADMSG, "a descriptor that is not there");
	refused_with(events + 8, 1, -EBADMSG, "a descriptor that is not there");
	refused_with(events + 16, 0, -EBADMSG, "not there, or of another kind");
	refused_with(events + 20, 0, -EBADMSG, "an event queue that cannot be");
	refused_with(events + 24, 9, -EBADMSG, "an event queue that cannot be");
	refused_with(events + 28, 5, -EBADMSG, "an event queue that cannot be");
	refused_with(events + 40, UINT32_C(1) << 31, -EBADMSG, "an event queue that cannot be");
	refused_with(events + 32, 2, -EBADMSG, "neither yes nor no");
	refused_with(hw_queue, 0, -EBADMSG, "an id that no kernel gives");
	refused_with(hw_queue + 4, 0, -EBADMSG, "not there, or of another kind");
	refused_with(vdevice + 4, 0, -EBADMSG, "not there, or of another kind");
	refused_with(vdevice + 8, 0, -EBADMSG, "not there, or of another kind");
	refused_with(vdevice, 0, -EBADMSG, "an id that no kernel gives");
}

static void test_devices(void **state)
{
	const size_t at = record_of(LIBIOMMU_OBJECT_DEVICE, 0);
	const size_t second = record_of(LIBIOMMU_OBJECT_DEVICE, 1);
	const size_t pasids = at + DEVICE_SIZE;

	(void)state;
	refused_with(at, 0, -EBADMSG, "a descriptor that is not there, or somebody else's");
	refused_with(at + 4, 0, -EBADMSG, "an id that no kernel gives");
	refused_with(second + 4, DEVICE_ID, -EBADMSG, "two devices have the same id");
	refused_with(at + 16, 2, -EBADMSG, "neither yes nor no");
	refused_with(at + 20, 0, -EBADMSG, "an id that no kernel gives");
	refused_with(at + 20, H_PARENT, -EBADMSG, "a page table under two ids");
	refused_with(at + 24, 1, -EBADMSG, "not there, or of another kind");
	refused_with(at + 56, 0, -EBADMSG, "not there, or of another kind");
	refused_with(at + 56, ENTRY_NONE, -EBADMSG, "a PASID that cannot be");
	refused_with(at + 60, 2, -EBADMSG, "neither yes nor no");
	refused_with(at + 64, (1 << 20) + 1, -EBADMSG, "more PASIDs than there are");
	refused_with(at + 64, 1023, -EBADMSG, "a PASID that cannot be");
	refused_with(at + 68, 3, -EBADMSG, "a record ends too early");
	refused_with(at + 68, 1, -E2BIG, "more than this library knows");
	refused_with(pasids, 0, -EBADMSG, "a PASID that cannot be, or is another one's");
	refused_with(pasids, 1023, -EBADMSG, "a PASID that cannot be, or is another one's");
	refused_with(pasids + 4, 0, -EBADMSG, "a PASID that cannot be");
	refused_with(pasids + 4, 1 << 20, -EBADMSG, "a PASID that cannot be");
	refused_with(pasids + 4, 70000, -EBADMSG, "a PASID that cannot be, or is another one's");
	refused_with(pasids + 8, 0, -EBADMSG, "not there, or of another kind");
}

static void test_groups(void **state)
{
	const size_t at = record_of(ENTRY_GROUPS, 0);
	const size_t group = at + GROUPS_SIZE;

	(void)state;
	refused_with(at, get(at) + 1, -EBADMSG, "page requests that cannot be");
	refused_with(at + 8, 0, -EBADMSG, "not there, or of another kind");
	refused_with(at + 12, 2, -EBADMSG, "a record ends too early");
	refused_with(at + 12, 0, -E2BIG, "more than this library knows");
	/* The token's generation, the device, the PASID. */
	refused_with(group, get(group) ^ 0x100000, -EBADMSG, "page requests that cannot be");
	refused_with(group + 12, 0, -EBADMSG, "not there, or of another kind");
	refused_with(group + 16, 6, -EBADMSG, "came through nothing");
	/* Where it came through need not be known. */
	put(group + 12, ENTRY_NONE);
	{
		struct libiommu_takeover *takeover;

		assert_int_equal(world_load(image, size, &takeover), 0);
		libiommu_takeover_free(takeover);
	}
}

/* The image with these bytes for its page requests; the header is made to fit. */
static void replace_groups(const struct walk *bytes, uint32_t entries)
{
	const size_t start = record_of(ENTRY_GROUPS, 0) - ENTRY_HEADER_SIZE;

	image = realloc(image, start + bytes->size);
	assert_non_null(image);
	memcpy(image + start, bytes->bytes, bytes->size);
	size = start + bytes->size;
	put(16, get(16) - 1 + entries);
	put(24, (uint32_t)size);
}

/* Page requests that nobody has had, of groups that have all ended. */
static void write_waiting(struct walk *bytes, uint32_t count)
{
	struct entry_header header = {
		.kind = ENTRY_GROUPS,
		.length = GROUPS_SIZE + count * WAITING_RECORD_SIZE,
	};
	struct groups_record record = {.queue = QUEUE_ENTRY, .waiting = count};

	li_entry_header(bytes, &header);
	li_groups_record(bytes, &record);
	for (uint32_t i = 0; i < count; i++) {
		struct waiting_record waiting = {.token = i};

		li_waiting_record(bytes, &waiting);
	}
}

/* A queue's page requests come once, those too that wait and are not to be answered. */
static void test_groups_twice(void **state)
{
	struct walk bytes = li_walk_writer();

	(void)state;
	write_waiting(&bytes, 100);
	write_waiting(&bytes, 100);
	replace_groups(&bytes, 2);
	li_walk_free(&bytes);
	refused(-EBADMSG, "the page requests of a queue twice");
}

/* The most slots that are taken one after the other, which is what a search may have to look at. */
static size_t longest_run(const struct index *index)
{
	size_t longest = 0;

	for (size_t i = 0, run = 0; i < index->size; i++) {
		run = index->slots[i].number == INDEX_NONE ? 0 : run + 1;
		longest = run > longest ? run : longest;
	}
	return longest;
}

/* Numbers that one multiplication would put next to each other, or all into one place. */
static void test_keys_that_mean_no_good(void **state)
{
	enum { KEYS = 10000 };

	(void)state;
	for (int way = 0; way < 3; way++) {
		struct index index = {0};

		for (uint32_t i = 0; i < KEYS; i++) {
			/* The second factor undoes that of many a table. */
			const uint64_t key = way == 0   ? i
			                     : way == 1 ? i * UINT64_C(0xf1de83e19937733d)
			                                : (uint64_t)i << 44;

			assert_true(li_index_reserve(&index));
			li_index_add(&index, 0, key, i);
			assert_int_equal(li_index_find(&index, 0, key), i);
		}
		assert_in_range(longest_run(&index), 1, KEYS / 10);
		li_index_free(&index);
	}
}

static void test_every_length(void **state)
{
	const size_t whole = size;

	(void)state;
	for (size = 0; size < whole; size++) {
		struct libiommu_takeover *takeover = NULL;
		/* Memory that ends there, for those who watch. */
		unsigned char *const part = malloc(size + 1);
		struct walk walk = {.writes = true, .bytes = part, .size = size};

		memcpy(part, image, size);
		if (size >= IMAGE_HEADER_SIZE)
			li_walk_patch_u64(&walk, 24, size);
		assert_int_equal(world_load(part, size, &takeover), -EBADMSG);
		assert_null(takeover);
		free(part);
	}
}

/* Any byte, in a few ways: it is refused with an error, or is taken, and nothing is left. */
static void test_every_byte(void **state)
{
	static const unsigned char ways[] = {0x01, 0x80, 0xff};

	(void)state;
	for (size_t at = 0; at < size; at++) {
		for (size_t way = 0; way < sizeof(ways); way++) {
			struct libiommu_takeover *takeover = NULL;
			int error;

			image[at] ^= ways[way];
			error = world_load(image, size, &takeover);
			image[at] ^= ways[way];
			assert_true(!error || error == -EBADMSG || error == -EOPNOTSUPP ||
			            error == -E2BIG || error == -EINVAL || error == -ENOMEM);
			assert_true(!error == !!takeover);
			libiommu_takeover_free(takeover);
		}
	}
}

static void test_no_memory(void **state)
{
	struct libiommu_ctx_config *const config = script_ctx_config();
	int fds[H_FDS];

	(void)state;
	world_fds(fds);
	ALLOC_LOOP
	{
		struct libiommu_takeover *takeover = NULL;

		if (!ALLOC_TRY(libiommu_takeover_load(config, image, size, fds, H_FDS, &takeover)))
			libiommu_takeover_free(takeover);
		else
			assert_null(takeover);
	}
	libiommu_ctx_config_free(config);
}

static void test_descriptors(void **state)
{
	struct libiommu_ctx_config *const config = script_ctx_config();
	int fds[H_FDS] = {200, 260, 201, 261, 261};
	struct libiommu_takeover *takeover = NULL;

	(void)state;
	assert_int_equal(libiommu_takeover_load(config, image, size, fds, H_FDS, &takeover),
	                 -EBADMSG);
	assert_explained("a descriptor twice");
	fds[4] = -1;
	assert_int_equal(libiommu_takeover_load(config, image, size, fds, H_FDS, &takeover),
	                 -EBADMSG);
	assert_explained("a number that no descriptor has");
	assert_int_equal(libiommu_takeover_load(config, image, size, fds, 4, &takeover), -EINVAL);
	assert_int_equal(libiommu_takeover_load(config, image, size, NULL, 4, &takeover), -EINVAL);
	assert_null(takeover);
	libiommu_ctx_config_free(config);
}

static int not_open(void *user, int fd, bool on)
{
	(void)user;
	(void)fd;
	(void)on;
	return -EBADF;
}

static void test_a_descriptor_that_is_not_open(void **state)
{
	struct libiommu_takeover *takeover = NULL;

	(void)state;
	libiommu_sys_set_cloexec(script_door(), not_open);
	assert_int_equal(world_load(image, size, &takeover), -EBADF);
	assert_null(takeover);
	assert_explained("one of its descriptors is not open");
}

/* The program looks around, and forgets something. */
static void test_not_taken(void **state)
{
	struct libiommu_takeover *takeover;
	struct libiommu_ioas *ioas = NULL;
	struct libiommu_hwpt *hwpt;
	uint64_t key = 0;
	size_t count;

	(void)state;
	assert_int_equal(world_load(image, size, &takeover), 0);
	assert_int_equal(libiommu_takeover_count(takeover, LIBIOMMU_OBJECT_HWPT, &count), 0);
	assert_int_equal(count, 3);
	assert_int_equal(libiommu_takeover_count(takeover, LIBIOMMU_OBJECT_RING, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(libiommu_takeover_count(takeover, LIBIOMMU_OBJECT_HANDOVER, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(libiommu_takeover_key(takeover, LIBIOMMU_OBJECT_HWPT, 2, &key), 0);
	assert_int_equal(key, H_KEY + 2);
	assert_int_equal(libiommu_takeover_key(takeover, LIBIOMMU_OBJECT_HWPT, 3, &key), -ENOENT);
	assert_int_equal(libiommu_takeover_key(takeover, LIBIOMMU_OBJECT_RING, 0, &key), -ENOENT);
	assert_int_equal(
		libiommu_takeover_key(takeover, LIBIOMMU_OBJECT_HWPT, (size_t)1 << 32, &key),
		-ENOENT);
	assert_int_equal(libiommu_takeover_hwpt(takeover, H_KEY + 2, &hwpt), 0);
	assert_int_equal(libiommu_takeover_ioas(takeover, 4711, &ioas), -ENOENT);
	assert_failure(-ENOENT, LIBRARY, "libiommu_takeover_ioas");
	assert_null(ioas);
	assert_int_equal(libiommu_takeover_commit(takeover, 0), -EBUSY);
	assert_failure(-EBUSY, LIBRARY, "libiommu_takeover_commit");
	assert_explained("IOAS; 11 of them");
	assert_int_equal(libiommu_takeover_commit(takeover, 2), -EINVAL);
	libiommu_takeover_free(takeover);
}

static void expect_charge(int result)
{
	EXPECT_IOCTL(CTX_FD + OTHER_SIDE, IOAS_CHANGE_PROCESS,
	             IN(struct uapi_ioas_change_process,
	                .size = sizeof(struct uapi_ioas_change_process)),
	             .result = result);
}

static int kvm_ioctl(void *user, int fd, unsigned long request, void *arg)
{
	(void)user;
	(void)request;
	(void)arg;
	return fd == CTX_FD + OTHER_SIDE || fd == H_SECOND_FD + OTHER_SIDE || fd == 300 ? 0
	                                                                                : -EBADF;
}

/* The virtual machine is another one, and is told of the device though that is bound. */
static void test_kvm(void **state)
{
	struct libiommu_takeover *takeover;
	struct libiommu_kvm *kvm;
	struct world there;

	(void)state;
	libiommu_sys_set_ioctl(script_door(), kvm_ioctl);
	script_lend_fd(300);
	assert_int_equal(world_load(image, size, &takeover), 0);
	world_take(takeover, &there);
	assert_int_equal(libiommu_kvm_adopt(there.ctx, 300, LIBIOMMU_FD_BORROW, &kvm), 0);
	assert_int_equal(libiommu_kvm_add(kvm, there.second), -ESHUTDOWN);
	assert_int_equal(libiommu_takeover_commit(takeover, 0), 0);
	libiommu_takeover_free(takeover);
	world_answer(&there, H_QUEUE_FD + OTHER_SIDE, token, 1);
	assert_int_equal(libiommu_kvm_add(kvm, there.second), 0);
	assert_int_equal(libiommu_kvm_add(kvm, there.second), -EEXIST);
	assert_int_equal(libiommu_kvm_destroy(kvm), -EBUSY);
	assert_int_equal(libiommu_device_detach(there.second), 0);
	assert_int_equal(libiommu_kvm_remove(kvm, there.second), 0);
	assert_int_equal(libiommu_kvm_destroy(kvm), 0);
	world_close(&there, false, OTHER_SIDE);
	world_give_fds();
}

/* The charge is the commit's last step that can fail, and it may be tried again. */
static void test_charge(void **state)
{
	struct libiommu_takeover *takeover;
	struct libiommu_ctx *ctx;
	struct world there;

	(void)state;
	assert_int_equal(world_load(image, size, &takeover), 0);
	world_take(takeover, &there);
	expect_charge(-ENOMEM);
	assert_int_equal(libiommu_takeover_commit(takeover, 0), -ENOMEM);
	assert_failure(-ENOMEM, KERNEL, "libiommu_takeover_commit");
	assert_explained("ulimit -l");
	assert_int_equal(libiommu_device_detach(there.second), -ESHUTDOWN);
	expect_charge(0);
	assert_int_equal(libiommu_takeover_commit(takeover, 0), 0);
	assert_int_equal(libiommu_takeover_commit(takeover, 0), -EALREADY);
	assert_int_equal(libiommu_takeover_ctx(takeover, &ctx), -EALREADY);
	assert_int_equal(libiommu_takeover_ioas(takeover, H_KEY, &there.ioas), -EALREADY);
	libiommu_takeover_free(takeover);
	world_answer(&there, H_QUEUE_FD + OTHER_SIDE, token, 1);
	world_close(&there, true, OTHER_SIDE);
	world_give_fds();
}

#define TAKEOVER_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TAKEOVER_TEST(test_header),
		TAKEOVER_TEST(test_entries),
		TAKEOVER_TEST(test_page_tables),
		TAKEOVER_TEST(test_queues),
		TAKEOVER_TEST(test_devices),
		TAKEOVER_TEST(test_groups),
		TAKEOVER_TEST(test_groups_twice),
		TAKEOVER_TEST(test_keys_that_mean_no_good),
		TAKEOVER_TEST(test_every_length),
		TAKEOVER_TEST(test_every_byte),
		TAKEOVER_TEST(test_no_memory),
		TAKEOVER_TEST(test_descriptors),
		TAKEOVER_TEST(test_a_descriptor_that_is_not_open),
		TAKEOVER_TEST(test_not_taken),
		TAKEOVER_TEST(test_kvm),
		TAKEOVER_TEST(test_charge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
