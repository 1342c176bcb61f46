/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Devices of the test driver: each is made, bound and attached by one command. */
#include <errno.h>

#include "device.h"
#include "heap.h"
#include "hwpt.h"
#include "machine.h"
#include "test-command.h"
#include "test-iommu.h"

/* It ends with the context, and the device with it. */
struct test_device {
	struct emu_object object;
	struct emu_dev *dev;
	struct emu_device *device;
};

static void end(struct test_device *made)
{
	const struct emu_attached *attached;
	uint32_t pasid = 0;

	if (made->device) {
		while ((attached = emu_sparse_next(&made->dev->group->attached, &pasid)))
			emu_device_leave(made->device, pasid);
		emu_device_unbind(made->device);
	}
	if (made->dev)
		emu_dev_free(made->dev);
	emu_release(made);
}

static void test_device_destroy(struct emu_object *object)
{
	end((struct test_device *)object);
}

static const struct emu_object_ops test_device_ops = {
	.type = EMU_TEST_DEVICE,
	.destroy = test_device_destroy,
};

static int bring_up(struct emu_call *call, struct test_device *made)
{
	struct libiommu_emu *const emu = call->ctx->file.emu;
	struct mock_cmd *const cmd = call->cmd;
	const uint32_t flags = cmd->op == MOCK_OP_DEVICE_FLAGS ? cmd->u.device.flags : 0;
	const struct emu_dev_spec spec = {
		.iommu = emu_test_find(emu),
		.pasid_bits = flags & MOCK_FLAG_PASID ? EMU_TEST_PASID_BITS : 0,
		.no_dirty = flags & MOCK_FLAG_NO_DIRTY,
		.inner = true,
	};
	uint32_t pt_id = cmd->id;
	int error;

	if (flags & ~(MOCK_FLAG_NO_DIRTY | MOCK_FLAG_PASID))
		return -EINVAL;
	error = emu_dev_new(emu, &spec, &made->dev);
	if (!error)
		error = emu_device_bind(call->ctx, made->dev, &made->device);
	if (!error)
		error = emu_device_join(made->device, 0, &pt_id);
	if (error)
		return error;
	cmd->u.device.out_hwpt = pt_id;
	cmd->u.device.out_stdev = made->object.id;
	cmd->u.device.out_dev = made->device->object.id;
	return emu_call_respond(call);
}

int emu_test_device_new(struct emu_call *call)
{
	struct test_device *const made = emu_alloc(sizeof(*made));
	int error;

	if (!made || emu_object_add(call->ctx, &made->object, &test_device_ops)) {
		emu_release(made);
		return -ENOMEM;
	}
	error = bring_up(call, made);
	if (error)
		emu_object_remove(&made->object, false);
	return error;
}

static struct test_device *find(const struct emu_call *call)
{
	const struct mock_cmd *const cmd = call->cmd;

	return (struct test_device *)emu_object_find(call->ctx, cmd->id, EMU_TEST_DEVICE);
}

int emu_test_device_replace(struct emu_call *call)
{
	struct mock_cmd *const cmd = call->cmd;
	struct test_device *const device = find(call);
	int error;

	if (!device)
		return -ENOENT;
	error = emu_device_replace(device->device, 0, &cmd->u.replace.pt_id);
	return error ? error : emu_call_respond(call);
}

/* What was attached and cannot be told of is detached; what was replaced is not put back. */
static int attach(struct emu_call *call, struct test_device *device)
{
	struct mock_cmd *const cmd = call->cmd;
	const uint32_t pasid = cmd->u.pasid.pasid;
	int error = emu_device_join(device->device, pasid, &cmd->u.pasid.pt_id);

	if (error)
		return error;
	error = emu_call_respond(call);
	if (error)
		emu_device_leave(device->device, pasid);
	return error;
}

int emu_test_device_pasid(struct emu_call *call)
{
	struct mock_cmd *const cmd = call->cmd;
	struct test_device *const device = find(call);
	int error;

	if (!device)
		return -ENOENT;
	if (cmd->op == MOCK_OP_PASID_ATTACH)
		return attach(call, device);
	if (cmd->op == MOCK_OP_PASID_DETACH) {
		emu_device_leave(device->device, cmd->u.pasid.pasid);
		return 0;
	}
	error = emu_device_replace(device->device, cmd->u.pasid.pasid, &cmd->u.pasid.pt_id);
	return error ? error : emu_call_respond(call);
}

/* @pt_id 0: nothing is attached there. */
int emu_test_device_check_pasid(struct emu_call *call)
{
	const struct mock_cmd *const cmd = call->cmd;
	const struct test_device *const device = find(call);
	const struct emu_attached *attached;
	struct emu_object *object;

	if (!device)
		return -ENOENT;
	attached = emu_dev_at(device->dev, cmd->u.pasid.pasid);
	if (!cmd->u.pasid.pt_id)
		return attached ? -EINVAL : 0;
	object = emu_object_find(call->ctx, cmd->u.pasid.pt_id, EMU_ANY);
	if (!object)
		return -ENOENT;
	return attached && &attached->hwpt->object == object ? 0 : -EINVAL;
}
