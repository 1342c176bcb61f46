/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "handover-rig.h"

#include <string.h>
#include <sys/mman.h>

enum { LABEL = 0xabc, VPASID = 7, TAG = 70 };

#define BOTH (LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE)

int rig_memory;

void rig_fail(const char *what, const char *file, int line)
{
	char text[512];

	libiommu_failure_text(text, sizeof(text));
	fprintf(stderr, "%s:%d: %s; last failure: %s\n", file, line, what, text);
	exit(1);
}

/* KiB that the kernel counts as pinned for a process. */
long rig_pinned(pid_t pid)
{
	char path[64], line[128];
	long result = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, "VmPin:", 6))
			result = strtol(line + 6, NULL, 10);
	CHECK(file);
	fclose(file);
	return result;
}

void rig_see_memory(const struct world *world)
{
	void *const at = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, rig_memory, 0);
	uint32_t id;

	CHECK(at != MAP_FAILED);
	OK(libiommu_hwpt_id(world->own, &id));
	OK(mock_check_map(world->mock, world->dev, id, IOVA, at, LENGTH));
	OK(libiommu_hwpt_id(world->table, &id));
	OK(mock_check_pasid(world->mock, world->dev, VPASID, id));
	munmap(at, LENGTH);
}

static void ask(const struct world *world, uint64_t address)
{
	OK(mock_fault(world->mock, world->dev, VPASID, 1, LIBIOMMU_FAULT_READ, address));
}

/* The next page request, in the program's terms. */
static struct libiommu_record take(const struct world *world, uint64_t address)
{
	struct libiommu_fault_batch *batch;
	struct libiommu_record record;

	OK(libiommu_fault_batch_new(1, &batch));
	CHECK(libiommu_fault_queue_read(world->queue, batch) == 1);
	record = *libiommu_fault_batch_get(batch, 0);
	libiommu_fault_batch_free(batch);
	CHECK(record.address == address && record.label == LABEL && record.tag == TAG);
	CHECK(record.vpasid == VPASID && !(record.flags & LIBIOMMU_RECORD_UNKNOWN));
	return record;
}

/* The kernel has a group with the token, and takes the answer. */
static void answer(const struct world *world, uint64_t token)
{
	const struct libiommu_fault_response response = {token, LIBIOMMU_FAULT_SUCCESS, 0};
	size_t stale = 1;

	CHECK(libiommu_fault_queue_respond(world->queue, &response, 1, &stale) == 1);
	CHECK(!stale);
}

void rig_begin(struct world *world, struct letter *letter)
{
	uint32_t pasid;

	world->ctx = mock_ctx(world->mock);
	world->dev = mock_device(world->mock, world->ctx, LABEL, true);
	OK(libiommu_ioas_alloc(world->ctx, &world->ioas));
	OK(libiommu_fault_queue_alloc(world->ctx, &world->queue));
	world->own = mock_hwpt(world->dev, world->ioas, NULL);
	world->table = mock_hwpt(world->dev, world->ioas, world->queue);
	OK(libiommu_device_attach_hwpt(world->dev, world->own));
	OK(libiommu_pasid_attach(world->dev, VPASID, world->table, TAG, &pasid));
	/* Nothing is charged to those with CAP_IPC_LOCK, which goes with the effective user. */
	OK(seteuid(NOBODY));
	OK(libiommu_ioas_map_file_fixed(world->ioas, rig_memory, 0, LENGTH, BOTH, IOVA));
	rig_see_memory(world);
	CHECK(rig_pinned(getpid()) == LENGTH / 1024);
	ask(world, IOVA);
	letter->token = take(world, IOVA).token;
	ask(world, IOVA + 4096);
	guest_begin(world);
}

struct libiommu_handover *rig_hand_over(struct world *world)
{
	struct libiommu_handover *handover;

	OK(libiommu_handover_new(world->ctx, &handover));
	OK(libiommu_handover_add_ioas(handover, KEY, world->ioas));
	OK(libiommu_handover_add_fault_queue(handover, KEY, world->queue));
	OK(libiommu_handover_add_hwpt(handover, OWN_KEY, world->own));
	OK(libiommu_handover_add_hwpt(handover, KEY, world->table));
	OK(libiommu_handover_add_device(handover, KEY, world->dev));
	if (world->guest.dev)
		guest_hand_over(world, handover);
	return handover;
}

void rig_give_devices(struct world *world, struct letter *letter)
{
	struct libiommu_device *const guest = world->guest.dev;

	mock_give(world->mock, libiommu_device_fd(world->dev), &letter->device);
	letter->guest = (struct mock_facts){0};
	if (guest)
		mock_give(world->mock, libiommu_device_fd(guest), &letter->guest);
}

void rig_take_devices(struct world *world, const struct letter *letter)
{
	const int iommufd = libiommu_ctx_fd(world->ctx);
	struct libiommu_device *const guest = world->guest.dev;
	const uint32_t pasid = VPASID;

	mock_take(world->mock, libiommu_device_fd(world->dev), iommufd, &letter->device, &pasid, 1);
	if (guest)
		mock_take(world->mock, libiommu_device_fd(guest), iommufd, &letter->guest, NULL, 0);
}

void rig_destroy(struct world *world)
{
	if (world->guest.dev)
		guest_destroy(&world->guest);
	OK(libiommu_device_destroy(world->dev));
	OK(libiommu_hwpt_destroy(world->table));
	OK(libiommu_hwpt_destroy(world->own));
	OK(libiommu_fault_queue_destroy(world->queue));
	OK(libiommu_ioas_destroy(world->ioas));
	OK(libiommu_ctx_destroy(world->ctx));
}

/* All of it, up to the commit. */
void rig_take_over(struct world *world, struct libiommu_takeover *takeover,
                   const struct letter *letter)
{
	size_t guests;

	OK(libiommu_takeover_ctx(takeover, &world->ctx));
	OK(libiommu_takeover_ioas(takeover, KEY, &world->ioas));
	OK(libiommu_takeover_fault_queue(takeover, KEY, &world->queue));
	OK(libiommu_takeover_hwpt(takeover, OWN_KEY, &world->own));
	OK(libiommu_takeover_hwpt(takeover, KEY, &world->table));
	OK(libiommu_takeover_device(takeover, KEY, &world->dev));
	OK(libiommu_takeover_count(takeover, LIBIOMMU_OBJECT_VIOMMU, &guests));
	if (guests)
		guest_take_over(world, takeover);
	rig_take_devices(world, letter);
	OK(libiommu_takeover_commit(takeover, 0));
	libiommu_takeover_free(takeover);
}

/* The successor does all that the predecessor could have done. */
void rig_go_on(struct world *world, const struct letter *letter)
{
	uint64_t token = 0, found;
	size_t count = 0;
	uint32_t pasid;

	CHECK(rig_pinned(getpid()) == LENGTH / 1024);
	rig_see_memory(world);
	OK(libiommu_fault_queue_tokens(world->queue, &token, 1, &count));
	CHECK(count == 1 && token == letter->token);
	answer(world, token);
	answer(world, take(world, IOVA + 4096).token);
	ask(world, IOVA + 2 * 4096);
	answer(world, take(world, IOVA + 2 * 4096).token);
	OK(libiommu_pasid_find(world->dev, VPASID, &pasid));
	OK(libiommu_device_label(world->dev, &found));
	CHECK(pasid == VPASID && found == LABEL);
	OK(libiommu_pasid_detach(world->dev, VPASID));
	OK(mock_check_pasid(world->mock, world->dev, VPASID, 0));
	OK(libiommu_pasid_attach(world->dev, VPASID, world->table, TAG, &pasid));
	if (world->guest.dev)
		guest_go_on(world);
	OK(libiommu_ioas_unmap(world->ioas, IOVA, LENGTH));
	CHECK(rig_pinned(getpid()) == 0);
	rig_destroy(world);
}
