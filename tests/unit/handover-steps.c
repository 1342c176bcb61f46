/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "handover-steps.h"

#include "pasid-steps.h"

enum { HIGH_VPASID = 70000, HIGH_PASID = 1023, OWN_TAG = 70, TAG = 75, OTHER_LABEL = 9 };

static const int numbers[H_FDS] = {CTX_FD, DEVICE_FD, H_QUEUE_FD, H_SECOND_FD, H_VEVENTQ_FD};

static void make_viommu(struct world *world)
{
	struct libiommu_viommu_config *config;

	assert_int_equal(libiommu_viommu_config_new(&config), 0);
	assert_int_equal(libiommu_viommu_config_set_data(config, "vendor", 6), 0);
	EXPECT_IOCTL(CTX_FD, VIOMMU_ALLOC, SET(struct uapi_viommu_alloc, out_viommu_id, H_VIOMMU));
	assert_int_equal(
		libiommu_viommu_alloc(world->dev, world->parent, 0x1234, config, &world->viommu),
		0);
	libiommu_viommu_config_free(config);
	EXPECT_IOCTL(CTX_FD, HWPT_ALLOC, SET(struct uapi_hwpt_alloc, out_hwpt_id, H_NESTED));
	assert_int_equal(
		libiommu_hwpt_alloc_viommu(world->dev, world->viommu, NULL, &world->nested), 0);
	EXPECT_IOCTL(CTX_FD, VDEVICE_ALLOC,
	             SET(struct uapi_vdevice_alloc, out_vdevice_id, H_VDEVICE));
	assert_int_equal(libiommu_vdevice_alloc(world->viommu, world->dev, H_VIRT_ID, &world->vdev),
	                 0);
	EXPECT_IOCTL(CTX_FD, VEVENTQ_ALLOC,
	             OUT(struct uapi_veventq_alloc, .out_veventq_id = H_VEVENTQ,
	                 .out_veventq_fd = H_VEVENTQ_FD),
	             .opens = H_VEVENTQ_FD);
	assert_int_equal(
		libiommu_veventq_alloc_raw(world->viommu, 0x1234, 16, 12, 4, 4, &world->veventq),
		0);
	EXPECT_IOCTL(CTX_FD, HW_QUEUE_ALLOC,
	             SET(struct uapi_hw_queue_alloc, out_hw_queue_id, H_HW_QUEUE));
	assert_int_equal(
		libiommu_hw_queue_alloc(world->viommu, 1, 0, 0x1000, 0x1000, &world->hw_queue), 0);
}

static void make_tables(struct world *world)
{
	struct libiommu_hwpt_config *config;

	EXPECT_IOCTL(
		CTX_FD, FAULT_QUEUE_ALLOC,
		OUT(struct uapi_fault_alloc, .out_fault_id = H_QUEUE, .out_fault_fd = H_QUEUE_FD),
		.opens = H_QUEUE_FD);
	assert_int_equal(libiommu_fault_queue_alloc(world->ctx, &world->queue), 0);
	world->parent = script_hwpt(world->dev, DEVICE_ID, world->ioas, H_IOAS, H_PARENT);
	assert_int_equal(libiommu_hwpt_config_new(&config), 0);
	assert_int_equal(libiommu_hwpt_config_set_fault_queue(config, world->queue), 0);
	EXPECT_IOCTL(CTX_FD, HWPT_ALLOC, SET(struct uapi_hwpt_alloc, out_hwpt_id, H_PASID_PT));
	assert_int_equal(libiommu_hwpt_alloc(world->dev, world->ioas, config, &world->pasid_pt), 0);
	libiommu_hwpt_config_free(config);
	EXPECT_IOCTL(CTX_FD, HWPT_SET_DIRTY_TRACKING, .result = 0);
	assert_int_equal(libiommu_hwpt_set_dirty_tracking(world->parent, true), 0);
}

static void attach(struct world *world)
{
	uint32_t pasid;

	assert_int_equal(libiommu_device_set_tag(world->dev, OWN_TAG), 0);
	EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_ATTACH_IOMMUFD_PT, .result = 0);
	assert_int_equal(libiommu_device_attach_hwpt(world->dev, world->nested), 0);
	script_attach_ioas(world->second, H_SECOND_FD, world->ioas, H_IOAS, H_SECOND_PT);
	assert_int_equal(libiommu_pasid_space_new(world->ctx, 0, &world->space), 0);
	assert_int_equal(libiommu_pasid_space_join(world->space, world->dev), 0);
	expect_pasid_width(DEVICE_ID, 10, 0);
	expect_pasid_attach(DEVICE_FD, 5, H_PASID_PT, 0);
	assert_int_equal(libiommu_pasid_attach(world->dev, 5, world->pasid_pt, TAG, &pasid), 0);
	/* The device cannot carry this one. */
	expect_pasid_attach(DEVICE_FD, HIGH_PASID, H_PASID_PT, 0);
	assert_int_equal(
		libiommu_pasid_attach(world->dev, HIGH_VPASID, world->pasid_pt, TAG + 1, &pasid),
		0);
	assert_int_equal(pasid, HIGH_PASID);
}

void world_make(struct world *world)
{
	*world = (struct world){.ctx = script_ctx()};
	world->dev = script_device(world->ctx);
	world->second = script_device_as(world->ctx, H_SECOND_FD, H_SECOND, OTHER_LABEL);
	script_device_share_group(world->second);
	world->ioas = script_ioas(world->ctx, H_IOAS);
	EXPECT_IOCTL(CTX_FD, IOAS_MAP, .result = 0);
	assert_int_equal(libiommu_ioas_map_fixed(world->ioas, (void *)0x10000, 0x3000,
	                                         LIBIOMMU_MAP_READ, 0x1000),
	                 0);
	make_tables(world);
	make_viommu(world);
	attach(world);
	script_done();
}

uint64_t world_fault(struct world *world, int fd, uint32_t pasid, uint32_t cookie)
{
	const struct uapi_hwpt_pgfault fault = {
		.flags = UAPI_PGFAULT_FLAGS_LAST_PAGE | UAPI_PGFAULT_FLAGS_PASID_VALID,
		.dev_id = DEVICE_ID,
		.pasid = pasid,
		.cookie = cookie,
	};
	struct libiommu_fault_batch *batch;
	uint64_t token;

	assert_int_equal(libiommu_fault_batch_new(1, &batch), 0);
	EXPECT(READ, .fd = fd, .length = sizeof(fault), .out = &fault, .out_size = sizeof(fault),
	       .result = sizeof(fault));
	assert_int_equal(libiommu_fault_queue_read(world->queue, batch), 1);
	token = libiommu_fault_batch_get(batch, 0)->token;
	libiommu_fault_batch_free(batch);
	return token;
}

void world_answer(struct world *world, int fd, uint64_t token, uint32_t cookie)
{
	const struct libiommu_fault_response response = {token, LIBIOMMU_FAULT_SUCCESS, 0};
	size_t stale = 1;

	EXPECT(WRITE, .fd = fd,
	       IN(struct uapi_hwpt_page_response, .cookie = cookie, .code = UAPI_PAGE_RESP_SUCCESS),
	       .result = sizeof(struct uapi_hwpt_page_response));
	assert_int_equal(libiommu_fault_queue_respond(world->queue, &response, 1, &stale), 1);
	assert_int_equal(stale, 0);
}

int world_add(const struct world *world, struct libiommu_handover *handover)
{
	int error = libiommu_handover_add_ioas(handover, H_KEY, world->ioas);

#define ADD(kind, key, object)                                                                     \
	if (!error)                                                                                \
	error = libiommu_handover_add_##kind(handover, key, world->object)
	ADD(fault_queue, H_KEY, queue);
	ADD(hwpt, H_KEY, parent);
	ADD(viommu, H_KEY, viommu);
	ADD(hwpt, H_KEY + 1, nested);
	ADD(hwpt, H_KEY + 2, pasid_pt);
	ADD(pasid_space, H_KEY, space);
	ADD(device, H_KEY, dev);
	ADD(device, H_KEY + 1, second);
	ADD(vdevice, H_KEY, vdev);
	ADD(veventq, H_KEY, veventq);
	ADD(hw_queue, H_KEY, hw_queue);
#undef ADD
	return error;
}

struct libiommu_handover *world_hand_over(const struct world *world)
{
	struct libiommu_handover *handover;

	assert_int_equal(libiommu_handover_new(world->ctx, &handover), 0);
	assert_int_equal(world_add(world, handover), 0);
	return handover;
}

void world_fds(int fds[H_FDS])
{
	static const int order[H_FDS] = {0, 2, 1, 3, 4};

	for (size_t i = 0; i < H_FDS; i++)
		fds[i] = numbers[order[i]] + OTHER_SIDE;
}

void world_give_fds(void)
{
	for (size_t i = 0; i < H_FDS; i++)
		script_give_fd(numbers[i] + OTHER_SIDE);
}

void world_take_back_fds(void)
{
	for (size_t i = 0; i < H_FDS; i++)
		script_take_back_fd(numbers[i] + OTHER_SIDE);
}

int world_load(const void *image, size_t size, struct libiommu_takeover **takeover)
{
	struct libiommu_ctx_config *const config = script_ctx_config();
	int fds[H_FDS], error;

	world_fds(fds);
	error = libiommu_takeover_load(config, image, size, fds, H_FDS, takeover);
	libiommu_ctx_config_free(config);
	return error;
}

static void see_pasids(const struct world *world)
{
	struct libiommu_hwpt *hwpt;
	uint32_t number;
	uint64_t tag;

	assert_int_equal(libiommu_pasid_find(world->dev, 5, &number), 0);
	assert_int_equal(number, 5);
	assert_int_equal(libiommu_pasid_find(world->dev, HIGH_VPASID, &number), 0);
	assert_int_equal(number, HIGH_PASID);
	assert_int_equal(libiommu_pasid_find_vpasid(world->dev, HIGH_PASID, &number), 0);
	assert_int_equal(number, HIGH_VPASID);
	assert_int_equal(libiommu_pasid_find_hwpt(world->dev, HIGH_PASID, &hwpt, &tag), 0);
	assert_ptr_equal(hwpt, world->pasid_pt);
	assert_int_equal(tag, TAG + 1);
	assert_int_equal(libiommu_pasid_find(world->dev, 6, &number), -ENOENT);
	assert_int_equal(libiommu_pasid_find(world->second, 5, &number), -ENOENT);
}

static void see_ids(const struct world *world)
{
	uint64_t label, other;
	uint32_t id;

#define ID(kind, object, expected)                                                                 \
	assert_int_equal(libiommu_##kind##_id(world->object, &id), 0);                             \
	assert_int_equal(id, expected)
	ID(ioas, ioas, H_IOAS);
	ID(fault_queue, queue, H_QUEUE);
	ID(hwpt, parent, H_PARENT);
	ID(hwpt, nested, H_NESTED);
	ID(hwpt, pasid_pt, H_PASID_PT);
	ID(viommu, viommu, H_VIOMMU);
	ID(device, dev, DEVICE_ID);
	ID(device, second, H_SECOND);
	ID(vdevice, vdev, H_VDEVICE);
	ID(veventq, veventq, H_VEVENTQ);
	ID(hw_queue, hw_queue, H_HW_QUEUE);
#undef ID
	assert_int_equal(libiommu_device_pt_id(world->dev, &id), 0);
	assert_int_equal(id, H_NESTED);
	assert_int_equal(libiommu_device_pt_id(world->second, &id), 0);
	assert_int_equal(id, H_SECOND_PT);
	assert_int_equal(libiommu_device_label(world->second, &label), 0);
	assert_int_equal(label, OTHER_LABEL);
	assert_int_equal(libiommu_vdevice_find_label(world->viommu, H_VIRT_ID, &label), 0);
	assert_int_equal(label, LABEL);
	assert_int_equal(libiommu_ioas_mapped(world->ioas, &label, &other), 0);
	assert_int_equal(label, 0x3000);
	assert_int_equal(other, 0x3000);
}

void world_take(struct libiommu_takeover *takeover, struct world *world)
{
	struct libiommu_device *found;
	char data[8] = "";
	size_t length;

	assert_int_equal(libiommu_takeover_ctx(takeover, &world->ctx), 0);
#define TAKE(kind, key, object)                                                                    \
	assert_int_equal(libiommu_takeover_##kind(takeover, key, &world->object), 0)
	TAKE(ioas, H_KEY, ioas);
	TAKE(fault_queue, H_KEY, queue);
	TAKE(hwpt, H_KEY, parent);
	TAKE(hwpt, H_KEY + 1, nested);
	TAKE(hwpt, H_KEY + 2, pasid_pt);
	TAKE(viommu, H_KEY, viommu);
	TAKE(pasid_space, H_KEY, space);
	TAKE(device, H_KEY, dev);
	TAKE(device, H_KEY + 1, second);
	TAKE(vdevice, H_KEY, vdev);
	TAKE(veventq, H_KEY, veventq);
	TAKE(hw_queue, H_KEY, hw_queue);
#undef TAKE
	see_ids(world);
	see_pasids(world);
	assert_int_equal(libiommu_viommu_data(world->viommu, data, sizeof(data), &length), 0);
	assert_int_equal(length, 6);
	assert_string_equal(data, "vendor");
	assert_int_equal(libiommu_device_by_label(world->ctx, LABEL, &found), 0);
	assert_ptr_equal(found, world->dev);
	/* Children pin parents. */
	assert_int_equal(libiommu_ioas_destroy(world->ioas), -EBUSY);
	assert_int_equal(libiommu_hwpt_destroy(world->parent), -EBUSY);
	assert_int_equal(libiommu_hwpt_destroy(world->nested), -EBUSY);
	assert_int_equal(libiommu_viommu_destroy(world->viommu), -EBUSY);
	assert_int_equal(libiommu_fault_queue_destroy(world->queue), -EBUSY);
	assert_int_equal(libiommu_pasid_space_destroy(world->space), -EBUSY);
	assert_int_equal(libiommu_device_destroy(world->dev), -EBUSY);
}

static void expect_end(bool ask, int side, uint32_t id)
{
	if (ask)
		EXPECT_IOCTL(
			CTX_FD + side, DESTROY,
			IN(struct uapi_destroy, .size = sizeof(struct uapi_destroy), .id = id));
}

void world_close(struct world *world, bool ask, int side)
{
	expect_end(ask, side, H_HW_QUEUE);
	assert_int_equal(libiommu_hw_queue_destroy(world->hw_queue), 0);
	EXPECT_CLOSE(H_VEVENTQ_FD + side);
	expect_end(ask, side, H_VEVENTQ);
	assert_int_equal(libiommu_veventq_destroy(world->veventq), 0);
	expect_end(ask, side, H_VDEVICE);
	assert_int_equal(libiommu_vdevice_destroy(world->vdev), 0);
	for (uint32_t pasid = 5; ask && pasid; pasid = pasid == 5 ? HIGH_PASID : 0)
		expect_pasid_detach(DEVICE_FD + side, pasid, 0);
	EXPECT_CLOSE(DEVICE_FD + side);
	assert_int_equal(libiommu_device_destroy(world->dev), 0);
	EXPECT_CLOSE(H_SECOND_FD + side);
	assert_int_equal(libiommu_device_destroy(world->second), 0);
	expect_end(ask, side, H_NESTED);
	assert_int_equal(libiommu_hwpt_destroy(world->nested), 0);
	expect_end(ask, side, H_VIOMMU);
	assert_int_equal(libiommu_viommu_destroy(world->viommu), 0);
	expect_end(ask, side, H_PASID_PT);
	assert_int_equal(libiommu_hwpt_destroy(world->pasid_pt), 0);
	expect_end(ask, side, H_PARENT);
	assert_int_equal(libiommu_hwpt_destroy(world->parent), 0);
	EXPECT_CLOSE(H_QUEUE_FD + side);
	expect_end(ask, side, H_QUEUE);
	assert_int_equal(libiommu_fault_queue_destroy(world->queue), 0);
	expect_end(ask, side, H_IOAS);
	assert_int_equal(libiommu_ioas_destroy(world->ioas), 0);
	assert_int_equal(libiommu_pasid_space_destroy(world->space), 0);
	EXPECT_CLOSE(CTX_FD + side);
	assert_int_equal(libiommu_ctx_destroy(world->ctx), 0);
	script_done();
}
