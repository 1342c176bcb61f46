/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The end that gives: what goes over, what is refused, and that nothing is half done. */
#include "alloc.h"
#include "handover-steps.h"
#include "pasid-steps.h"

#include "../../lib/object/ctx.h"
#include "../../lib/object/fault-queue.h"
#include "../../lib/object/registry.h"
#include "../../lib/object/restore.h"

static int answer(struct libiommu_fault_queue *queue, uint64_t token)
{
	const struct libiommu_fault_response response = {token, LIBIOMMU_FAULT_SUCCESS, 0};

	return libiommu_fault_queue_respond(queue, &response, 1, NULL);
}

/* All of it, to the end. */
static void move(struct world *here, struct world *there)
{
	struct libiommu_handover *const handover = world_hand_over(here);
	struct libiommu_takeover *takeover;
	const void *image;
	size_t size;

	assert_int_equal(libiommu_handover_image(handover, &image, &size), 0);
	world_give_fds();
	assert_int_equal(world_load(image, size, &takeover), 0);
	world_take(takeover, there);
	assert_int_equal(libiommu_takeover_commit(takeover, LIBIOMMU_TAKEOVER_UNCHARGED), 0);
	assert_int_equal(libiommu_handover_commit(handover), 0);
	libiommu_handover_free(handover);
	libiommu_takeover_free(takeover);
	world_close(here, false, 0);
}

/* Everything arrives, works there, and is not the first side's any more. */
static void test_round_trip(void **state)
{
	struct libiommu_takeover *takeover;
	struct libiommu_handover *handover;
	uint64_t tokens[3], token, second;
	struct world here, there;
	const void *image;
	size_t size, count;
	const int *fds;

	(void)state;
	world_make(&here);
	token = world_fault(&here, H_QUEUE_FD, 5, 1);
	second = world_fault(&here, H_QUEUE_FD, 1023, 2);
	handover = world_hand_over(&here);
	assert_int_equal(libiommu_handover_image(handover, &image, &size), 0);
	assert_int_equal(libiommu_handover_fds(handover, &fds, &count), 0);
	assert_int_equal(count, H_FDS);
	assert_int_equal(fds[0], CTX_FD);
	world_give_fds();
	assert_int_equal(world_load(image, size, &takeover), 0);
	world_take(takeover, &there);
	/* Held: nothing but the handles is there. */
	assert_int_equal(answer(there.queue, token), -ESHUTDOWN);
	assert_int_equal(libiommu_device_detach(there.second), -ESHUTDOWN);
	assert_failure(-ESHUTDOWN, LIBRARY, "libiommu_device_detach");
	assert_explained("the context is being handed over, or was");
	assert_int_equal(libiommu_takeover_commit(takeover, LIBIOMMU_TAKEOVER_UNCHARGED), 0);
	assert_int_equal(libiommu_handover_commit(handover), 0);
	libiommu_handover_free(handover);
	libiommu_takeover_free(takeover);
	/* The first side is shut, and goes without a word to the kernel. */
	assert_int_equal(answer(here.queue, token), -ESHUTDOWN);
	world_close(&here, false, 0);
	assert_int_equal(libiommu_fault_queue_tokens(there.queue, tokens, 3, &count), 0);
	assert_int_equal(count, 2);
	assert_true((tokens[0] == token && tokens[1] == second) ||
	            (tokens[0] == second && tokens[1] == token));
	world_answer(&there, H_QUEUE_FD + OTHER_SIDE, token, 1);
	/* The end of an attachment ends its page requests, as it would have before. */
	world_answer(&there, H_QUEUE_FD + OTHER_SIDE, second, 2);
	world_close(&there, true, OTHER_SIDE);
}

/* A token of before is stale on the other side, also when its place is used again. */
static void test_tokens_are_used_once(void **state)
{
	struct world here, there;
	uint64_t old, next;

	(void)state;
	world_make(&here);
	old = world_fault(&here, H_QUEUE_FD, 5, 1);
	world_answer(&here, H_QUEUE_FD, old, 1);
	move(&here, &there);
	for (int i = 0; i < 3; i++) {
		next = world_fault(&there, H_QUEUE_FD + OTHER_SIDE, 5, 1);
		assert_int_not_equal(next, old);
		/* Stale: nothing is written. */
		assert_int_equal(answer(there.queue, old), 1);
		world_answer(&there, H_QUEUE_FD + OTHER_SIDE, next, 1);
	}
	world_close(&there, true, OTHER_SIDE);
}

/* Also where there were more page requests at a time than when it was handed over. */
static void test_tokens_of_many_are_used_once(void **state)
{
	enum { MANY = 70 };
	uint64_t old[MANY], next[MANY];
	struct world here, there;

	(void)state;
	world_make(&here);
	for (uint32_t i = 0; i < MANY; i++)
		old[i] = world_fault(&here, H_QUEUE_FD, 5, i + 1);
	for (uint32_t i = 0; i < MANY; i++)
		world_answer(&here, H_QUEUE_FD, old[i], i + 1);
	move(&here, &there);
	for (uint32_t i = 0; i < MANY; i++)
		next[i] = world_fault(&there, H_QUEUE_FD + OTHER_SIDE, 5, i + 1);
	for (uint32_t i = 0; i < MANY; i++) {
		assert_int_not_equal(next[i], old[i]);
		world_answer(&there, H_QUEUE_FD + OTHER_SIDE, next[i], i + 1);
	}
	world_close(&there, true, OTHER_SIDE);
}

static const struct name *name_of(const struct world *world)
{
	return li_registry_name(li_ctx_registry(world->ctx), DEVICE_ID);
}

/* Something at PASID 6, for the time of a page request: which attachment that was. */
static uint32_t attach_for_once(struct world *world, int side)
{
	const struct uapi_hwpt_pgfault fault = {
		.flags = UAPI_PGFAULT_FLAGS_LAST_PAGE | UAPI_PGFAULT_FLAGS_PASID_VALID,
		.dev_id = DEVICE_ID,
		.pasid = 6,
		.cookie = 1,
	};
	struct libiommu_fault_batch *batch;
	struct libiommu_record record;
	uint32_t pasid;

	expect_pasid_attach(DEVICE_FD + side, 6, H_PASID_PT, 0);
	assert_int_equal(libiommu_pasid_attach(world->dev, 6, world->pasid_pt, 0, &pasid), 0);
	EXPECT(READ, .fd = H_QUEUE_FD + side, .length = sizeof(fault), .out = &fault,
	       .out_size = sizeof(fault), .result = sizeof(fault));
	assert_int_equal(libiommu_fault_batch_new(1, &batch), 0);
	assert_int_equal(libiommu_fault_queue_read(world->queue, batch), 1);
	record = *libiommu_fault_batch_get(batch, 0);
	libiommu_fault_batch_free(batch);
	world_answer(world, H_QUEUE_FD + side, record.token, 1);
	expect_pasid_detach(DEVICE_FD + side, 6, 0);
	assert_int_equal(libiommu_pasid_detach(world->dev, 6), 0);
	return record.attachment;
}

/* What is attached later is another attachment than any that has ended before. */
static void test_attachments_are_counted_on(void **state)
{
	uint32_t last = 0, next;
	struct world here, there;

	(void)state;
	world_make(&here);
	for (int i = 0; i < 3; i++, last = next) {
		next = attach_for_once(&here, 0);
		assert_true(next > last);
	}
	move(&here, &there);
	next = attach_for_once(&there, OTHER_SIDE);
	assert_true(next > last);
	world_close(&there, true, OTHER_SIDE);
}

/* The tag of what comes next is set already: the end of what is there has its own all the same. */
static void test_tag_set_ahead(void **state)
{
	struct fault_notice before, after;
	struct world here, there;
	uint64_t tag;

	(void)state;
	world_make(&here);
	before = li_fault_notice(name_of(&here), &name_of(&here)->own);
	assert_int_equal(libiommu_device_set_tag(here.dev, before.tag + 1), 0);
	tag = before.tag;
	before = li_fault_notice(name_of(&here), &name_of(&here)->own);
	assert_int_equal(before.tag, tag);
	move(&here, &there);
	after = li_fault_notice(name_of(&there), &name_of(&there)->own);
	assert_int_equal(after.tag, tag);
	assert_int_equal(after.attachment, before.attachment);
	world_close(&there, true, OTHER_SIDE);
}

/* What the library had read, and nobody had had yet, is read on the other side. */
static void test_waiting_faults(void **state)
{
	struct libiommu_fault_batch *batch;
	struct libiommu_record faults[3];
	struct world here, there;
	uint64_t token;

	(void)state;
	world_make(&here);
	token = world_fault(&here, H_QUEUE_FD, 5, 1);
	for (uint32_t i = 0; i < 3; i++)
		faults[i] = (struct libiommu_record){
			.kind = LIBIOMMU_RECORD_FAULT,
			.flags = LIBIOMMU_RECORD_PASID,
			.permissions = LIBIOMMU_FAULT_WRITE,
			.label = LABEL,
			.token = i == 2 ? token + 1 : token,
			.address = 0x1000 * i,
			.tag = 75,
			.length = 10 + i,
			.vpasid = 5,
			.group = 20 + i,
			.attachment = 1,
		};
	assert_int_equal(li_restore_waiting(here.queue, faults, 3), 0);
	move(&here, &there);
	assert_int_equal(libiommu_fault_batch_new(8, &batch), 0);
	assert_int_equal(libiommu_fault_queue_wait(there.queue, -1), 1);
	assert_int_equal(libiommu_fault_queue_read(there.queue, batch), 3);
	for (size_t i = 0; i < 3; i++)
		assert_memory_equal(libiommu_fault_batch_get(batch, i), &faults[i],
		                    sizeof(faults[i]));
	libiommu_fault_batch_free(batch);
	world_answer(&there, H_QUEUE_FD + OTHER_SIDE, token, 1);
	world_close(&there, true, OTHER_SIDE);
}

/* Of what changes only the library's own state nothing happens either, from the beginning on. */
static void test_held_is_held(void **state)
{
	const struct libiommu_record waiting = {.kind = LIBIOMMU_RECORD_FAULT, .token = 1};
	struct libiommu_handover *handover;
	struct libiommu_fault_batch *batch;
	struct world here;
	uint64_t tag;
	struct libiommu_hwpt *hwpt;

	(void)state;
	world_make(&here);
	assert_int_equal(li_restore_waiting(here.queue, &waiting, 1), 0);
	assert_int_equal(libiommu_fault_batch_new(8, &batch), 0);
	handover = world_hand_over(&here);
	assert_int_equal(libiommu_device_revoke(here.second), -ESHUTDOWN);
	assert_failure(-ESHUTDOWN, LIBRARY, "libiommu_device_revoke");
	assert_true(script_fd_is_open(H_SECOND_FD));
	assert_int_equal(libiommu_device_set_tag(here.dev, 4711), -ESHUTDOWN);
	assert_failure(-ESHUTDOWN, LIBRARY, "libiommu_device_set_tag");
	/* The kernel would not be asked, as the page table is the same. */
	assert_int_equal(libiommu_pasid_replace(here.dev, 5, here.pasid_pt, 4711), -ESHUTDOWN);
	assert_int_equal(libiommu_pasid_find_hwpt(here.dev, 5, &hwpt, &tag), 0);
	assert_int_equal(tag, 75);
	assert_int_equal(libiommu_pasid_space_join(here.space, here.second), -ESHUTDOWN);
	assert_int_equal(libiommu_fault_queue_wait(here.queue, 0), -ESHUTDOWN);
	assert_int_equal(libiommu_fault_queue_read(here.queue, batch), -ESHUTDOWN);
	assert_failure(-ESHUTDOWN, LIBRARY, "libiommu_fault_queue_read");
	/* Given up, all of it works again. */
	libiommu_handover_free(handover);
	assert_int_equal(libiommu_device_set_tag(here.dev, 4711), 0);
	assert_int_equal(libiommu_fault_queue_wait(here.queue, 0), 1);
	handover = world_hand_over(&here);
	assert_int_equal(libiommu_handover_commit(handover), 0);
	libiommu_handover_free(handover);
	/* What waits is the successor's; a program that ends detaches, and destroys. */
	assert_int_equal(libiommu_fault_queue_wait(here.queue, 0), -ESHUTDOWN);
	assert_int_equal(libiommu_fault_queue_read(here.queue, batch), -ESHUTDOWN);
	libiommu_fault_batch_free(batch);
	assert_int_equal(libiommu_device_detach(here.second), 0);
	world_close(&here, false, 0);
}

/* A device with a PASID space to itself, which some of its vPASIDs made necessary. */
static void test_private_space(void **state)
{
	struct libiommu_ctx *const ctx = script_ctx();
	struct libiommu_device *const dev = script_device(ctx);
	struct libiommu_hwpt *const hwpt = borrowed_hwpt(ctx, 42);
	const int fds[] = {CTX_FD + OTHER_SIDE, DEVICE_FD + OTHER_SIDE};
	struct libiommu_ctx_config *const config = script_ctx_config();
	struct libiommu_takeover *takeover;
	struct libiommu_handover *handover;
	struct libiommu_device *other;
	struct libiommu_ctx *there;
	struct libiommu_hwpt *table;
	const void *image;
	uint32_t pasid;
	size_t size;

	(void)state;
	expect_pasid_width(DEVICE_ID, 4, 0);
	for (uint32_t i = 0; i < 3; i++) {
		static const uint32_t vpasids[] = {3, 100, 7}, pasids[] = {3, 15, 7};

		expect_pasid_attach(DEVICE_FD, pasids[i], 42, 0);
		assert_int_equal(libiommu_pasid_attach(dev, vpasids[i], hwpt, i, &pasid), 0);
		assert_int_equal(pasid, pasids[i]);
	}
	assert_int_equal(libiommu_handover_new(ctx, &handover), 0);
	assert_int_equal(libiommu_handover_add_hwpt(handover, 0, hwpt), 0);
	assert_int_equal(libiommu_handover_add_device(handover, 0, dev), 0);
	assert_int_equal(libiommu_handover_image(handover, &image, &size), 0);
	script_give_fd(fds[0]);
	script_give_fd(fds[1]);
	assert_int_equal(libiommu_takeover_load(config, image, size, fds, 2, &takeover), 0);
	libiommu_ctx_config_free(config);
	assert_int_equal(libiommu_takeover_ctx(takeover, &there), 0);
	assert_int_equal(libiommu_takeover_hwpt(takeover, 0, &table), 0);
	assert_int_equal(libiommu_takeover_device(takeover, 0, &other), 0);
	assert_int_equal(libiommu_takeover_commit(takeover, LIBIOMMU_TAKEOVER_UNCHARGED), 0);
	assert_int_equal(libiommu_handover_commit(handover), 0);
	libiommu_takeover_free(takeover);
	libiommu_handover_free(handover);
	assert_int_equal(libiommu_device_destroy(dev), 0);
	assert_int_equal(libiommu_hwpt_destroy(hwpt), 0);
	script_ctx_close(ctx);
	/* What is taken is known: the next one that cannot be itself gets the next from the top. */
	expect_pasid_attach(DEVICE_FD + OTHER_SIDE, 14, 42, 0);
	assert_int_equal(libiommu_pasid_attach(other, 101, table, 0, &pasid), 0);
	assert_int_equal(pasid, 14);
	assert_int_equal(libiommu_pasid_find(other, 100, &pasid), 0);
	assert_int_equal(pasid, 15);
	assert_int_equal(libiommu_pasid_attach(other, 3, table, 0, &pasid), -EEXIST);
	assert_int_equal(libiommu_device_destroy(other), 0);
	assert_int_equal(libiommu_hwpt_destroy(table), 0);
	EXPECT_CLOSE(CTX_FD + OTHER_SIDE);
	assert_int_equal(libiommu_ctx_destroy(there), 0);
}

/* Without a commit nothing has been, at either end. */
static void test_given_up(void **state)
{
	struct libiommu_takeover *takeover;
	struct libiommu_handover *handover;
	struct world here, there;
	const void *image;
	uint64_t token;
	size_t size;

	(void)state;
	world_make(&here);
	token = world_fault(&here, H_QUEUE_FD, 5, 1);
	for (int i = 0; i < 3; i++) {
		handover = world_hand_over(&here);
		assert_int_equal(libiommu_handover_image(handover, &image, &size), 0);
		world_give_fds();
		assert_int_equal(world_load(image, size, &takeover), 0);
		if (i)
			world_take(takeover, &there);
		if (i == 2)
			assert_int_equal(libiommu_ctx_destroy(there.ctx), -EBUSY);
		libiommu_takeover_free(takeover);
		world_take_back_fds();
		assert_int_equal(libiommu_handover_new(here.ctx, &handover), -EALREADY);
		assert_failure(-EALREADY, LIBRARY, "libiommu_handover_new");
		assert_int_equal(answer(here.queue, token), -ESHUTDOWN);
		assert_int_equal(libiommu_ioas_destroy(here.ioas), -EBUSY);
		assert_int_equal(libiommu_ctx_destroy(here.ctx), -EBUSY);
		libiommu_handover_free(handover);
	}
	world_answer(&here, H_QUEUE_FD, token, 1);
	world_close(&here, true, 0);
}

static void test_everything_must_be_added(void **state)
{
	struct libiommu_handover *handover;
	struct world here;
	const void *image;
	const int *fds;
	size_t size;
	int fd;

	(void)state;
	world_make(&here);
	assert_int_equal(libiommu_handover_new(here.ctx, &handover), 0);
	assert_int_equal(libiommu_handover_add_ioas(handover, 1, here.ioas), 0);
	assert_int_equal(libiommu_handover_image(handover, &image, &size), -EBUSY);
	assert_failure(-EBUSY, LIBRARY, "libiommu_handover_image");
	assert_explained("2 device, 3 HWPT, 1 PASID space, 1 fault queue, 1 vIOMMU, 1 virtual "
	                 "device, 1 hardware queue, 1 virtual event queue");
	assert_int_equal(libiommu_handover_fds(handover, &fds, &size), -EBUSY);
	assert_int_equal(libiommu_handover_send(handover, 3), -EBUSY);
	assert_int_equal(libiommu_handover_keep(handover, &fd), -EBUSY);
	assert_int_equal(libiommu_handover_commit(handover), -EBUSY);
	libiommu_handover_free(handover);
	world_close(&here, true, 0);
}

static void test_parents_come_first(void **state)
{
	struct libiommu_handover *handover;
	struct world here;

	(void)state;
	world_make(&here);
	assert_int_equal(libiommu_handover_new(here.ctx, &handover), 0);
	assert_int_equal(libiommu_handover_add_hwpt(handover, 1, here.parent), -ENOENT);
	assert_failure(-ENOENT, LIBRARY, "libiommu_handover_add_hwpt");
	assert_explained("was not added before it");
	assert_int_equal(libiommu_handover_add_viommu(handover, 1, here.viommu), -ENOENT);
	assert_int_equal(libiommu_handover_add_device(handover, 1, here.dev), -ENOENT);
	assert_int_equal(libiommu_handover_add_vdevice(handover, 1, here.vdev), -ENOENT);
	assert_int_equal(libiommu_handover_add_veventq(handover, 1, here.veventq), -ENOENT);
	assert_int_equal(libiommu_handover_add_hw_queue(handover, 1, here.hw_queue), -ENOENT);
	/* What was refused leaves nothing behind. */
	assert_int_equal(world_add(&here, handover), 0);
	assert_int_equal(libiommu_handover_commit(handover), 0);
	libiommu_handover_free(handover);
	world_close(&here, false, 0);
}

static void test_added_once(void **state)
{
	struct libiommu_handover *handover;
	struct libiommu_ctx *other;
	struct libiommu_ioas *alien, *borrowed;
	struct world here;
	const void *image;
	size_t size;

	(void)state;
	world_make(&here);
	assert_int_equal(libiommu_ioas_adopt(here.ctx, H_IOAS, LIBIOMMU_ID_BORROW, &borrowed), 0);
	EXPECT_OPEN("/dev/iommu", 110);
	{
		struct libiommu_ctx_config *const config = script_ctx_config();

		assert_int_equal(libiommu_ctx_new(config, &other), 0);
		libiommu_ctx_config_free(config);
	}
	assert_int_equal(libiommu_ioas_adopt(other, 9, LIBIOMMU_ID_BORROW, &alien), 0);
	handover = world_hand_over(&here);
	assert_int_equal(libiommu_handover_add_ioas(handover, 5, here.ioas), -EEXIST);
	assert_int_equal(libiommu_handover_add_ioas(handover, H_KEY, borrowed), -EEXIST);
	assert_failure(-EEXIST, LIBRARY, "libiommu_handover_add_ioas");
	assert_int_equal(libiommu_handover_add_ioas(handover, 5, alien), -EINVAL);
	assert_int_equal(libiommu_handover_add_ioas(handover, 5, borrowed), 0);
	assert_int_equal(libiommu_handover_image(handover, &image, &size), 0);
	assert_int_equal(libiommu_handover_add_ioas(handover, 6, borrowed), -EALREADY);
	assert_int_equal(libiommu_handover_commit(handover), 0);
	assert_int_equal(libiommu_handover_commit(handover), -ESHUTDOWN);
	assert_int_equal(libiommu_handover_image(handover, &image, &size), -ESHUTDOWN);
	assert_int_equal(libiommu_handover_add_ioas(handover, 6, alien), -ESHUTDOWN);
	libiommu_handover_free(handover);
	assert_int_equal(libiommu_ioas_destroy(borrowed), 0);
	world_close(&here, false, 0);
	assert_int_equal(libiommu_ioas_destroy(alien), 0);
	assert_int_equal(libiommu_ctx_destroy(other), 0);
}

/* A context that was given away stays so. */
static void test_given_away_is_shut(void **state)
{
	struct libiommu_handover *handover;
	struct libiommu_ctx *const ctx = script_ctx();
	struct libiommu_ioas *ioas = NULL;
	uint64_t iova = 7;

	(void)state;
	assert_int_equal(libiommu_handover_new(ctx, &handover), 0);
	assert_int_equal(libiommu_handover_commit(handover), 0);
	libiommu_handover_free(handover);
	assert_int_equal(libiommu_ioas_alloc(ctx, &ioas), -ESHUTDOWN);
	assert_null(ioas);
	assert_int_equal(libiommu_ioas_adopt(ctx, 4, LIBIOMMU_ID_OWN, &ioas), 0);
	assert_int_equal(libiommu_ioas_map(ioas, (void *)0x1000, 0x1000, LIBIOMMU_MAP_READ, &iova),
	                 -ESHUTDOWN);
	assert_int_equal(iova, 7);
	assert_int_equal(libiommu_ioas_destroy(ioas), 0);
	assert_int_equal(libiommu_handover_new(ctx, &handover), -ESHUTDOWN);
	script_ctx_close(ctx);
}

static void test_devices_that_stay(void **state)
{
	struct libiommu_handover *handover;
	struct libiommu_ctx *const ctx = script_ctx();
	struct libiommu_device *const open = script_device_open(ctx, DEVICE_FD);
	struct libiommu_device *const grouped = script_device_grouped(ctx, 120, 121);
	struct libiommu_device *const bound = script_device_as(ctx, 122, 9, 1);

	(void)state;
	assert_int_equal(libiommu_device_revoke(bound), 0);
	assert_int_equal(libiommu_handover_new(ctx, &handover), 0);
	assert_int_equal(libiommu_handover_add_device(handover, 1, open), -EINVAL);
	assert_int_equal(libiommu_handover_add_device(handover, 1, grouped), -EOPNOTSUPP);
	assert_int_equal(libiommu_handover_add_device(handover, 1, bound), -ENODEV);
	libiommu_handover_free(handover);
	assert_int_equal(libiommu_device_destroy(open), 0);
	assert_int_equal(libiommu_device_destroy(grouped), 0);
	assert_int_equal(libiommu_device_destroy(bound), 0);
	script_ctx_close(ctx);
}

static void test_queues_that_are_closed(void **state)
{
	struct libiommu_handover *handover;
	struct libiommu_fault_queue *queue, *twin;
	struct libiommu_ctx *const ctx = script_ctx();

	(void)state;
	script_give_fd(130);
	script_lend_fd(131);
	assert_int_equal(
		libiommu_fault_queue_adopt(ctx, 3, LIBIOMMU_ID_OWN, 130, LIBIOMMU_FD_OWN, &queue),
		0);
	expect_destroy(3, -EBUSY);
	assert_int_equal(libiommu_fault_queue_destroy(queue), -EBUSY);
	assert_int_equal(libiommu_fault_queue_adopt(ctx, 4, LIBIOMMU_ID_BORROW, 131,
	                                            LIBIOMMU_FD_BORROW, &twin),
	                 0);
	assert_int_equal(libiommu_handover_new(ctx, &handover), 0);
	assert_int_equal(libiommu_handover_add_fault_queue(handover, 1, queue), -EBADF);
	assert_failure(-EBADF, LIBRARY, "libiommu_handover_add_fault_queue");
	assert_int_equal(libiommu_handover_add_fault_queue(handover, 1, twin), 0);
	libiommu_handover_free(handover);
	expect_destroy(3, 0);
	assert_int_equal(libiommu_fault_queue_destroy(queue), 0);
	assert_int_equal(libiommu_fault_queue_adopt(ctx, 5, LIBIOMMU_ID_BORROW, 131,
	                                            LIBIOMMU_FD_BORROW, &queue),
	                 0);
	assert_int_equal(libiommu_handover_new(ctx, &handover), 0);
	assert_int_equal(libiommu_handover_add_fault_queue(handover, 1, twin), 0);
	assert_int_equal(libiommu_handover_add_fault_queue(handover, 2, queue), -ENOTUNIQ);
	assert_failure(-ENOTUNIQ, LIBRARY, "libiommu_handover_add_fault_queue");
	libiommu_handover_free(handover);
	assert_int_equal(libiommu_fault_queue_destroy(queue), 0);
	assert_int_equal(libiommu_fault_queue_destroy(twin), 0);
	script_ctx_close(ctx);
}

static void test_no_memory(void **state)
{
	struct libiommu_handover *handover;
	struct world here;
	const void *image;
	size_t size;

	(void)state;
	world_make(&here);
	world_fault(&here, H_QUEUE_FD, 5, 1);
	ALLOC_LOOP
	{
		handover = NULL;
		if (!ALLOC_TRY(libiommu_handover_new(here.ctx, &handover)))
			libiommu_handover_free(handover);
	}
	/* Adding keeps what it has; what one call could not add the next one can. */
	for (unsigned int nth = 1, failed = 1; failed; nth++) {
		int error;

		assert_int_equal(libiommu_handover_new(here.ctx, &handover), 0);
		alloc_fail_nth(nth);
		error = world_add(&here, handover);
		if (!error)
			error = libiommu_handover_image(handover, &image, &size);
		failed = alloc_restore();
		assert_int_equal(error, failed ? -ENOMEM : 0);
		libiommu_handover_free(handover);
	}
	handover = world_hand_over(&here);
	alloc_fail_nth(1);
	assert_int_equal(libiommu_handover_image(handover, &image, &size), -ENOMEM);
	assert_true(alloc_restore());
	assert_failure(-ENOMEM, LIBRARY, "libiommu_handover_image");
	assert_int_equal(libiommu_handover_image(handover, &image, &size), 0);
	assert_int_equal(libiommu_handover_commit(handover), 0);
	libiommu_handover_free(handover);
	world_close(&here, false, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRIPT_TEST(test_round_trip),
		SCRIPT_TEST(test_tokens_are_used_once),
		SCRIPT_TEST(test_tokens_of_many_are_used_once),
		SCRIPT_TEST(test_attachments_are_counted_on),
		SCRIPT_TEST(test_tag_set_ahead),
		SCRIPT_TEST(test_waiting_faults),
		SCRIPT_TEST(test_held_is_held),
		SCRIPT_TEST(test_private_space),
		SCRIPT_TEST(test_given_up),
		SCRIPT_TEST(test_everything_must_be_added),
		SCRIPT_TEST(test_parents_come_first),
		SCRIPT_TEST(test_added_once),
		SCRIPT_TEST(test_given_away_is_shut),
		SCRIPT_TEST(test_devices_that_stay),
		SCRIPT_TEST(test_queues_that_are_closed),
		SCRIPT_TEST(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
