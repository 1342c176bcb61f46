/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The test driver's command: what is made by it has files of its own, this looks and does. */
#include "test-command.h"

#include <errno.h>
#include <libiommu-emu/export.h>
#include <stddef.h>

#include "caller.h"
#include "device.h"
#include "dmabuf.h"
#include "export.h"
#include "fault.h"
#include "heap.h"
#include "hwpt.h"
#include "inspect.h"
#include "ioas.h"
#include "look.h"
#include "machine.h"
#include "pages.h"
#include "test-iommu.h"

#define MOST_BITS    (UINT64_C(16) << 20 << 3)
#define LEAST_MEMORY 12U

static int reserve(struct emu_call *call)
{
	const struct mock_cmd *const cmd = call->cmd;
	const uint64_t start = cmd->u.reserve.start, last = start + (cmd->u.reserve.length - 1);
	struct emu_ioas *ioas;

	if (!cmd->u.reserve.length)
		return -EINVAL;
	if (last < start)
		return -EOVERFLOW;
	ioas = emu_ioas_find(call->ctx, cmd->id);
	return ioas ? emu_ioas_reserve(ioas, start, last, NULL) : -ENOENT;
}

/* A page table of the driver's: 0 or -errno. */
static int find_domain(struct emu_call *call, enum emu_type type, struct emu_domain **domain)
{
	const struct mock_cmd *const cmd = call->cmd;
	struct emu_object *const object = emu_object_find(call->ctx, cmd->id, type);

	if (!object)
		return -ENOENT;
	*domain = emu_hwpt_of(object)->domain;
	return emu_test_is((*domain)->iommu) ? 0 : -EINVAL;
}

static int check_map(struct emu_call *call)
{
	const struct mock_cmd *const cmd = call->cmd;
	struct emu_domain *domain;
	const int error = find_domain(call, EMU_HWPT_PAGING, &domain);

	if (error)
		return error;
	return call->task->pid ? -EOPNOTSUPP
	                       : emu_inspect_map(domain, cmd->u.map.iova,
	                                         (uintptr_t)cmd->u.map.memory, cmd->u.map.length);
}

static int check_pins(struct emu_call *call)
{
	const struct mock_cmd *const cmd = call->cmd;
	const uint64_t memory = cmd->u.pins.memory, length = cmd->u.pins.length;

	if ((memory | length) % EMU_PAGE || memory + length < memory)
		return -EINVAL;
	if (call->task->pid)
		return -EOPNOTSUPP;
	if (!length)
		return 0;
	if (emu_look_at((uintptr_t)memory, length, false))
		return -EFAULT;
	return emu_pins_are(call->ctx->file.emu, (uintptr_t)memory, length, cmd->u.pins.count)
	               ? 0
	               : -EIO;
}

static int check_value(const struct mock_cmd *cmd, const uint32_t *values)
{
	if (!values || cmd->u.check.index >= EMU_TEST_CACHES)
		return -EINVAL;
	return values[cmd->u.check.index] == cmd->u.check.value ? 0 : -EINVAL;
}

static int check_iotlb(struct emu_call *call)
{
	struct emu_domain *domain;
	const int error = find_domain(call, EMU_HWPT_NESTED, &domain);

	return error ? error : check_value(call->cmd, emu_test_cached(domain));
}

/* A device behind the driver's IOMMU, bound to the context: 0 or -errno. */
static int find_dev(struct emu_call *call, uint32_t id, struct emu_dev **dev)
{
	struct emu_object *const object = emu_object_find(call->ctx, id, EMU_DEVICE);

	if (!object)
		return -ENOENT;
	*dev = ((struct emu_device *)object)->dev;
	return emu_test_is((*dev)->group->iommu) ? 0 : -EINVAL;
}

static int check_cache(struct emu_call *call)
{
	const struct mock_cmd *const cmd = call->cmd;
	struct emu_dev *dev;
	const int error = find_dev(call, cmd->id, &dev);

	return error ? error : check_value(cmd, emu_test_dev_of(dev)->caches);
}

static uint64_t count_bits(const uint8_t *bits, uint64_t count)
{
	uint64_t set = 0;

	for (uint64_t i = 0; i < count; i++)
		set += bits[i / 8] >> i % 8 & 1;
	return set;
}

static int write_bits(struct emu_call *call, struct emu_domain *domain, uint8_t *bits)
{
	struct mock_cmd *const cmd = call->cmd;
	const uint64_t count = cmd->u.dirty.length / cmd->u.dirty.page_size;

	if (emu_get(call->task, bits, (uintptr_t)cmd->u.dirty.bitmap, (count + 7) / 8))
		return -EFAULT;
	emu_test_write_pages(domain, cmd->u.dirty.iova, cmd->u.dirty.length, cmd->u.dirty.page_size,
	                     bits);
	cmd->u.dirty.out_count = count_bits(bits, count);
	return emu_call_respond(call);
}

static int write_pages(struct emu_call *call)
{
	const struct mock_cmd *const cmd = call->cmd;
	const uint64_t page = cmd->u.dirty.page_size;
	struct emu_domain *domain;
	uint8_t *bits;
	int error;

	if (!page || !cmd->u.dirty.length || cmd->u.dirty.iova % page ||
	    cmd->u.dirty.length % page || !cmd->u.dirty.bitmap)
		return -EINVAL;
	if (cmd->u.dirty.length / page > MOST_BITS)
		return -EOVERFLOW;
	error = find_domain(call, EMU_HWPT_PAGING, &domain);
	if (error || !domain->tracking)
		return error ? error : -EINVAL;
	bits = emu_alloc(cmd->u.dirty.length / page / 8 + 1);
	error = bits ? write_bits(call, domain, bits) : -ENOMEM;
	emu_release(bits);
	return error;
}

/* A group of one; that nobody answers is no error. */
static int fault(struct emu_call *call)
{
	const struct mock_cmd *const cmd = call->cmd;
	const struct emu_page_request request = {
		.address = cmd->u.fault.address,
		.pasid = cmd->u.fault.pasid,
		.group = cmd->u.fault.group,
		.permissions = cmd->u.fault.permissions,
		.has_pasid = cmd->u.fault.pasid,
		.last = true,
	};
	struct emu_dev *dev;
	const int error = find_dev(call, cmd->u.fault.dev_id, &dev);

	if (!error)
		emu_fault_report(dev, &request, 1, NULL, NULL);
	return error;
}

static int event(struct emu_call *call)
{
	const struct mock_cmd *const cmd = call->cmd;
	struct emu_dev *dev;
	const int error = find_dev(call, cmd->u.event.dev_id, &dev);

	return error ? error : emu_test_event(dev);
}

/* The machine needs no memory for its work. */
static int set_memory_limit(struct emu_call *call)
{
	const struct mock_cmd *const cmd = call->cmd;

	return cmd->u.limit.bytes < LEAST_MEMORY ? -EINVAL : 0;
}

/* The driver does not say which descriptor it is. */
static int export(struct emu_call *call)
{
	const struct mock_cmd *const cmd = call->cmd;
	const int fd = libiommu_emu_export(call->ctx->file.emu, cmd->u.dmabuf.length);

	return fd < 0 ? fd : 0;
}

static int revoke(struct emu_call *call)
{
	const struct mock_cmd *const cmd = call->cmd;
	const int fd = cmd->u.dmabuf_revoke.fd;
	struct emu_dmabuf *const dmabuf = emu_dmabuf_of(call->ctx->file.emu, fd);

	if (!dmabuf)
		return emu_caller_has(fd) ? -EINVAL : -EBADF;
	if (!emu_is_export(dmabuf))
		return -EOPNOTSUPP;
	emu_dmabuf_revoke(dmabuf, cmd->u.dmabuf_revoke.revoked);
	return 0;
}

static int (*const operations[])(struct emu_call *call) = {
	[MOCK_OP_RESERVE] = reserve,
	[MOCK_OP_DEVICE] = emu_test_device_new,
	[MOCK_OP_CHECK_MAP] = check_map,
	[MOCK_OP_CHECK_PINS] = check_pins,
	[MOCK_OP_ACCESS] = emu_test_access_new,
	[MOCK_OP_UNPIN] = emu_test_access_unpin,
	[MOCK_OP_PIN] = emu_test_access_pin,
	[MOCK_OP_READ_WRITE] = emu_test_access_rw,
	[MOCK_OP_MEMORY_LIMIT] = set_memory_limit,
	[MOCK_OP_REPLACE] = emu_test_device_replace,
	[MOCK_OP_ACCESS_REPLACE] = emu_test_access_replace,
	[MOCK_OP_DEVICE_FLAGS] = emu_test_device_new,
	[MOCK_OP_DIRTY] = write_pages,
	[MOCK_OP_CHECK_IOTLB] = check_iotlb,
	[MOCK_OP_FAULT] = fault,
	[MOCK_OP_CHECK_CACHE] = check_cache,
	[MOCK_OP_EVENT] = event,
	[MOCK_OP_PASID_ATTACH] = emu_test_device_pasid,
	[MOCK_OP_PASID_REPLACE] = emu_test_device_pasid,
	[MOCK_OP_PASID_DETACH] = emu_test_device_pasid,
	[MOCK_OP_PASID_CHECK] = emu_test_device_check_pasid,
	[MOCK_OP_DMABUF] = export,
	[MOCK_OP_DMABUF_REVOKE] = revoke,
};

int emu_test_command(struct emu_call *call)
{
	const struct mock_cmd *const cmd = call->cmd;

	if (cmd->op >= sizeof(operations) / sizeof(operations[0]) || !operations[cmd->op])
		return -EOPNOTSUPP;
	return operations[cmd->op](call);
}
