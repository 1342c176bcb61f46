/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Queues of virtual events: their rules, their order, and what is lost. */
#include "nest-rig.h"

#include <poll.h>
#include <string.h>

#include "../../emu/calls.h"
#include "../../emu/veventq.h"

enum { TYPE = 5, DEPTH = 3, HEADER = sizeof(struct uapi_vevent_header), WHOLE = HEADER + 4 };

struct record {
	struct uapi_vevent_header header;
	uint32_t data;
};

struct test {
	struct nest_rig *rig;
	struct emu_viommu *viommu;
	uint32_t id;
	int fd;
};

static int alloc(struct nest_rig *rig, uint32_t viommu, uint32_t type, uint32_t depth,
                 struct uapi_veventq_alloc *cmd)
{
	*cmd = (struct uapi_veventq_alloc){
		.size = sizeof(*cmd),
		.viommu_id = viommu,
		.type = type,
		.veventq_depth = depth,
	};
	return rig_ioctl(rig, UAPI_IOC_VEVENTQ_ALLOC, cmd);
}

static struct test begin(uint32_t depth)
{
	struct test t = {.rig = nest_rig_new()};
	struct uapi_veventq_alloc cmd;

	t.viommu = emu_viommu_get(t.rig->ctx, rig_viommu(t.rig));
	assert_int_equal(alloc(t.rig, t.viommu->object.id, TYPE, depth, &cmd), 0);
	t.id = cmd.out_veventq_id;
	t.fd = (int)cmd.out_veventq_fd;
	return t;
}

static void end(struct test *t)
{
	assert_int_equal(libiommu_emu_close(t->rig->emu, t->fd), 0);
	nest_rig_free(t->rig);
}

static int report(struct test *t, uint32_t data)
{
	return emu_viommu_event(t->viommu, TYPE, &data, sizeof(data));
}

static ssize_t get(struct test *t, void *to, size_t size)
{
	return libiommu_emu_read(t->rig->emu, t->fd, to, size);
}

static void check(const struct record *record, uint32_t sequence, uint32_t data)
{
	assert_int_equal(record->header.flags, 0);
	assert_int_equal(record->header.sequence, sequence);
	assert_int_equal(record->data, data);
}

static void check_lost(const void *at, uint32_t sequence)
{
	struct uapi_vevent_header header;

	memcpy(&header, at, sizeof(header));
	assert_int_equal(header.flags, UAPI_VEVENTQ_FLAG_LOST_EVENTS);
	assert_int_equal(header.sequence, sequence);
}

static bool ready(const struct test *t)
{
	struct pollfd pollfd = {.fd = t->fd, .events = POLLIN};

	return poll(&pollfd, 1, 0) == 1;
}

static void rules(void **state)
{
	struct nest_rig *const rig = nest_rig_new();
	const uint32_t viommu = rig_viommu(rig);
	struct uapi_veventq_alloc cmd = {.size = sizeof(cmd), .flags = 1};
	int fd;

	(void)state;
	assert_int_equal(rig_ioctl(rig, UAPI_IOC_VEVENTQ_ALLOC, &cmd), -EOPNOTSUPP);
	cmd.flags = 0;
	cmd.reserved = 1;
	cmd.type = TYPE;
	assert_int_equal(rig_ioctl(rig, UAPI_IOC_VEVENTQ_ALLOC, &cmd), -EOPNOTSUPP);
	assert_int_equal(alloc(rig, 99, 0, 0, &cmd), -EOPNOTSUPP);
	assert_int_equal(alloc(rig, 99, TYPE, 0, &cmd), -EINVAL);
	assert_int_equal(alloc(rig, 99, TYPE, (1 << 19) + 1, &cmd), -EINVAL);
	assert_int_equal(alloc(rig, 99, TYPE, 1 << 19, &cmd), -ENOENT);
	assert_int_equal(alloc(rig, rig->parent.object.id, TYPE, 1, &cmd), -ENOENT);
	RIG_FAIL_EACH(rig, alloc(rig, viommu, TYPE, 1, &cmd));
	assert_int_equal(cmd.out_veventq_id, viommu + 1);
	fd = (int)cmd.out_veventq_fd;
	assert_int_equal(alloc(rig, viommu, TYPE, 1, &cmd), -EEXIST);
	assert_int_equal(rig_destroy(rig, viommu + 1), -EBUSY);
	assert_int_equal(libiommu_emu_close(rig->emu, fd), 0);
	assert_int_equal(alloc(rig, viommu, TYPE, 1, &cmd), -EEXIST);
	assert_int_equal(rig_destroy(rig, viommu), -EBUSY);
	assert_int_equal(rig_destroy(rig, viommu + 1), 0);
	assert_int_equal(rig_destroy(rig, viommu), 0);
	nest_rig_free(rig);
}

static void lost_answer(void **state)
{
	struct nest_rig *const rig = nest_rig_new();
	const unsigned int fds = count_fds();
	struct uapi_veventq_alloc cmd = {
		.size = sizeof(cmd),
		.viommu_id = rig_viommu(rig),
		.type = TYPE,
		.veventq_depth = 1,
	};

	(void)state;
	assert_int_equal(rig_ioctl_lost(rig, UAPI_IOC_VEVENTQ_ALLOC, &cmd, sizeof(cmd)), -EFAULT);
	assert_int_equal(count_fds(), fds);
	assert_int_equal(rig_destroy(rig, cmd.viommu_id), 0);
	nest_rig_free(rig);
}

/* Of one type each; in whatever order they end. */
static void queues_of_types(void **state)
{
	struct test t = begin(1);
	struct uapi_veventq_alloc cmd[2];
	struct record record;

	(void)state;
	assert_int_equal(alloc(t.rig, t.viommu->object.id, TYPE + 1, 1, &cmd[0]), 0);
	assert_int_equal(alloc(t.rig, t.viommu->object.id, TYPE + 2, 1, &cmd[1]), 0);
	assert_int_equal(report(&t, 1), 0);
	assert_int_equal(emu_viommu_event(t.viommu, TYPE + 3, &t, 1), -EOPNOTSUPP);
	assert_int_equal(emu_viommu_event(t.viommu, TYPE, NULL, 1), -EINVAL);
	assert_int_equal(emu_viommu_event(t.viommu, TYPE, &t, 0), -EINVAL);
	assert_int_equal(libiommu_emu_close(t.rig->emu, (int)cmd[0].out_veventq_fd), 0);
	assert_int_equal(rig_destroy(t.rig, cmd[0].out_veventq_id), 0);
	assert_int_equal(get(&t, &record, sizeof(record)), WHOLE);
	assert_int_equal(libiommu_emu_close(t.rig->emu, (int)cmd[1].out_veventq_fd), 0);
	assert_int_equal(rig_destroy(t.rig, cmd[1].out_veventq_id), 0);
	end(&t);
}

static void read_whole_and_in_order(void **state)
{
	struct test t = begin(DEPTH);
	struct record records[4];
	ssize_t result;

	(void)state;
	assert_int_equal(get(&t, records, HEADER - 1), -EINVAL);
	assert_int_equal(get(&t, records, HEADER), 0);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(report(&t, 100 + i), 0);
	assert_true(ready(&t));
	assert_int_equal(get(&t, records, WHOLE - 1), -EINVAL);
	assert_int_equal(get(&t, records, 2 * WHOLE + HEADER + 3), 2 * WHOLE);
	check(&records[0], 0, 100);
	check(&records[1], 1, 101);
	assert_int_equal(get(&t, records, WHOLE + HEADER - 1), WHOLE);
	check(&records[0], 2, 102);
	assert_false(ready(&t));
	assert_int_equal(libiommu_emu_write(t.rig->emu, t.fd, records, 8), -EINVAL);
	assert_true(emu_pread(t.rig->emu, t.fd, (uintptr_t)records, WHOLE, 0, &result));
	assert_int_equal(result, -ESPIPE);
	end(&t);
}

/* It is never ready to be written, as what cannot be is not. */
static void polled(void **state)
{
	struct test t = begin(DEPTH);
	struct pollfd pollfd = {.fd = t.fd, .events = POLLIN | POLLOUT};

	(void)state;
	assert_int_equal(poll(&pollfd, 1, 0), 0);
	assert_int_equal(report(&t, 1), 0);
	assert_int_equal(poll(&pollfd, 1, 0), 1);
	assert_int_equal(pollfd.revents, POLLIN);
	end(&t);
}

static void mark_at_the_end(void **state)
{
	struct test t = begin(DEPTH);
	struct record records[6];

	(void)state;
	for (uint32_t i = 0; i < DEPTH + 2; i++)
		assert_int_equal(report(&t, i), 0);
	/* One mark, of the last that was lost; it is not an event of those that have room. */
	assert_int_equal(get(&t, records, sizeof(records)), DEPTH * WHOLE + HEADER);
	check(&records[2], 2, 2);
	check_lost(&records[3], 4);
	assert_false(ready(&t));
	assert_int_equal(report(&t, 9), 0);
	assert_int_equal(get(&t, records, sizeof(records)), WHOLE);
	check(&records[0], 5, 9);
	end(&t);
}

static void event_takes_the_mark_away(void **state)
{
	struct test t = begin(1);
	struct record records[3];

	(void)state;
	assert_int_equal(report(&t, 0), 0);
	assert_int_equal(report(&t, 1), 0);
	assert_int_equal(get(&t, records, WHOLE), WHOLE);
	assert_true(ready(&t));
	assert_int_equal(report(&t, 2), 0);
	assert_int_equal(get(&t, records, sizeof(records)), WHOLE);
	check(&records[0], 2, 2);
	assert_int_equal(get(&t, records, sizeof(records)), 0);
	end(&t);
}

static void sequence_begins_again(void **state)
{
	struct test t = begin(1);
	struct record records[3];

	(void)state;
	t.viommu->queues->sequence = INT32_MAX - 1;
	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(report(&t, i), 0);
	assert_int_equal(get(&t, records, sizeof(records)), WHOLE + HEADER);
	check(&records[0], INT32_MAX - 1, 0);
	check_lost(&records[1], INT32_MAX);
	assert_int_equal(report(&t, 2), 0);
	assert_int_equal(get(&t, records, sizeof(records)), WHOLE);
	check(&records[0], 0, 2);
	end(&t);
}

/* Without memory for an event it is lost, and whoever reports it is told. */
static void without_memory(void **state)
{
	struct test t = begin(DEPTH);
	unsigned char buffer[64];

	(void)state;
	emu_heap_fail(1);
	assert_int_equal(report(&t, 7), -ENOMEM);
	assert_true(emu_heap_stop());
	assert_true(ready(&t));
	assert_int_equal(get(&t, buffer, sizeof(buffer)), HEADER);
	check_lost(buffer, 0);
	end(&t);
}

/* What could not be copied is still there, the mark too. */
static void read_into_bad_memory(void **state)
{
	struct test t = begin(2);
	unsigned char *const edge = edge_new();
	struct record records[3];

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(report(&t, i), 0);
	assert_int_equal(get(&t, edge + EMU_PAGE - 4, WHOLE), -EFAULT);
	assert_int_equal(get(&t, edge + EMU_PAGE - HEADER, WHOLE), -EFAULT);
	assert_int_equal(get(&t, edge + EMU_PAGE - WHOLE, 2 * WHOLE), WHOLE);
	assert_int_equal(get(&t, edge + EMU_PAGE - WHOLE - 2, WHOLE + HEADER), WHOLE);
	assert_int_equal(get(&t, edge + EMU_PAGE - 2, HEADER), -EFAULT);
	assert_true(ready(&t));
	assert_int_equal(get(&t, records, sizeof(records)), HEADER);
	check_lost(records, 2);
	edge_free(edge);
	end(&t);
}

/* Events that nobody can read any more are kept until the queue ends. */
static void outlives_its_descriptor(void **state)
{
	struct test t = begin(1);

	(void)state;
	assert_int_equal(report(&t, 1), 0);
	assert_int_equal(libiommu_emu_close(t.rig->emu, t.fd), 0);
	assert_int_equal(report(&t, 2), 0);
	assert_int_equal(rig_destroy(t.rig, t.id), 0);
	assert_int_equal(report(&t, 3), -EOPNOTSUPP);
	nest_rig_free(t.rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules),
		cmocka_unit_test(lost_answer),
		cmocka_unit_test(queues_of_types),
		cmocka_unit_test(read_whole_and_in_order),
		cmocka_unit_test(polled),
		cmocka_unit_test(mark_at_the_end),
		cmocka_unit_test(event_takes_the_mark_away),
		cmocka_unit_test(sequence_begins_again),
		cmocka_unit_test(without_memory),
		cmocka_unit_test(read_into_bad_memory),
		cmocka_unit_test(outlives_its_descriptor),
	};

	return cmocka_run_group_tests_name("event queues", tests, NULL, NULL);
}
