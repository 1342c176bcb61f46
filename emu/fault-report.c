/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* To whom page requests go. */
#include <errno.h>
#include <string.h>

#include "../lib/base/uapi/iommufd.h"
#include "device.h"
#include "fault-queue.h"
#include "heap.h"
#include "hwpt.h"

/* A request that is not the last of its group: they wait at the device until that comes. */
struct emu_fault_part {
	struct emu_fault_part *next;
	struct emu_page_request request;
};

static struct emu_fault_queue *queue_of(const struct emu_attached *attached)
{
	return attached && attached->hwpt ? attached->hwpt->queue : NULL;
}

/* NULL: nobody answers. */
static struct emu_attached *find(struct emu_dev *dev, const struct emu_page_request *request)
{
	struct emu_attached *const attached =
		request->has_pasid ? emu_dev_serving(dev, request->pasid) : emu_dev_at(dev, 0);

	return dev->group->iommu && queue_of(attached) ? attached : NULL;
}

static int keep(struct emu_dev *dev, const struct emu_page_request *request)
{
	struct emu_fault_part *const part = emu_alloc(sizeof(*part));
	struct emu_fault_part **link = &dev->parts;

	if (!part)
		return -ENOMEM;
	part->request = *request;
	while (*link)
		link = &(*link)->next;
	*link = part;
	return 0;
}

static size_t count_parts(const struct emu_dev *dev, uint32_t number)
{
	size_t count = 0;

	for (const struct emu_fault_part *part = dev->parts; part; part = part->next)
		count += part->request.group == number;
	return count;
}

/* Those of a group, in their order, whatever their PASIDs are. @to may be NULL. */
static void take_parts(struct emu_dev *dev, uint32_t number, struct emu_page_request *to)
{
	struct emu_fault_part **link = &dev->parts;

	while (*link) {
		struct emu_fault_part *const part = *link;

		if (part->request.group != number) {
			link = &part->next;
			continue;
		}
		if (to)
			*to++ = part->request;
		*link = part->next;
		emu_release(part);
	}
}

static struct emu_fault_group *gather(struct emu_dev *dev, const struct emu_attached *attached,
                                      const struct emu_page_request *last)
{
	const size_t parts = count_parts(dev, last->group);
	struct emu_fault_group *const group =
		emu_alloc(sizeof(*group) + (parts + 1) * sizeof(group->requests[0]));

	take_parts(dev, last->group, group ? group->requests : NULL);
	if (!group)
		return NULL;
	group->requests[parts] = *last;
	group->count = parts + 1;
	group->dev = dev;
	group->device = attached->device;
	group->at = attached->pasid;
	group->dev_id = attached->device->object.id;
	return group;
}

static void refuse(struct emu_dev *dev, const struct emu_page_request *last, emu_answer_fn answer,
                   void *user, uint32_t code)
{
	if (answer)
		answer(user, dev, last->pasid, last->group, code);
}

static int report(struct emu_dev *dev, const struct emu_page_request *request, emu_answer_fn answer,
                  void *user)
{
	const struct emu_attached *const attached = find(dev, request);
	struct emu_fault_group *group;

	if (!attached) {
		if (request->last)
			refuse(dev, request, answer, user, UAPI_PAGE_RESP_INVALID);
		return -EINVAL;
	}
	if (!request->last)
		return keep(dev, request);
	group = gather(dev, attached, request);
	if (!group) {
		refuse(dev, request, answer, user, EMU_ANSWER_FAILURE);
		return 0;
	}
	group->answer = answer;
	group->user = user;
	emu_fault_queue_add(queue_of(attached), group);
	return 0;
}

int emu_fault_report(struct emu_dev *dev, const struct emu_page_request *requests, size_t count,
                     emu_answer_fn answer, void *user)
{
	int first = 0;

	for (size_t i = 0; i < count; i++) {
		const int error = report(dev, &requests[i], answer, user);

		if (!first)
			first = error;
	}
	return first;
}

void emu_fault_forget(struct emu_dev *dev)
{
	while (dev->parts)
		take_parts(dev, dev->parts->request.group, NULL);
}

static bool has_queues(const struct emu_group *group)
{
	const struct emu_attached *attached;
	uint32_t pasid = 0;

	while ((attached = emu_sparse_next(&group->attached, &pasid))) {
		if (queue_of(attached))
			return true;
		if (!++pasid)
			break;
	}
	return false;
}

/* With the last page table that has a queue the kernel forgets requests without the last one. */
void emu_fault_flush(struct emu_fault_queue *queue, const struct emu_device *device, uint32_t pasid)
{
	const struct emu_group *const group = device->dev->group;

	emu_fault_queue_flush(queue, device, pasid);
	if (has_queues(group))
		return;
	for (struct emu_dev *dev = group->first; dev; dev = dev->sibling)
		emu_fault_forget(dev);
}
