/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The descriptor of a fault queue: page requests are read from it, answers are written. */
#include <errno.h>

#include "../lib/base/uapi/iommufd.h"
#include "fault-queue.h"

#define RECORD sizeof(struct uapi_hwpt_pgfault)
#define ANSWER sizeof(struct uapi_hwpt_page_response)

static struct uapi_hwpt_pgfault record_of(const struct emu_fault_group *group, size_t i)
{
	const struct emu_page_request *const request = &group->requests[i];

	return (struct uapi_hwpt_pgfault){
		.flags = request->internal |
	                 (request->has_pasid ? UAPI_PGFAULT_FLAGS_PASID_VALID : 0) |
	                 (request->last ? UAPI_PGFAULT_FLAGS_LAST_PAGE : 0),
		.dev_id = group->dev_id,
		.pasid = request->pasid,
		.grpid = request->group,
		.perm = request->permissions,
		.addr = request->address,
		.cookie = group->cookie,
	};
}

static int put_group(const struct emu_fault_group *group, const struct emu_task *task, uintptr_t to)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct uapi_hwpt_pgfault record = record_of(group, i);

		if (emu_put(task, to + i * RECORD, &record, RECORD))
			return -EFAULT;
	}
	return 0;
}

static int read_group(struct emu_fault_queue *queue, const struct emu_task *task, uintptr_t to)
{
	struct emu_fault_group *const group = queue->first;
	int error = emu_fault_queue_take(queue);

	if (error)
		return error;
	error = put_group(group, task, to);
	if (error)
		emu_fault_queue_put_back(queue, group);
	return error;
}

static ssize_t fault_read(struct emu_file *file, const struct emu_task *task, uintptr_t buffer,
                          size_t size)
{
	struct emu_fault_queue *const queue = (struct emu_fault_queue *)emu_queue_of(file);
	size_t done = 0;
	int error = 0;

	if (size % RECORD)
		return -ESPIPE;
	while (queue->first && !error) {
		const size_t length = queue->first->count * RECORD;

		if (length > size - done) {
			error = -EINVAL;
			break;
		}
		error = read_group(queue, task, buffer + done);
		if (!error)
			done += length;
	}
	emu_queue_set_ready(&queue->queue, queue->first);
	return done ? (ssize_t)done : error;
}

static int answer(struct emu_fault_queue *queue, const struct emu_task *task, uintptr_t from)
{
	struct uapi_hwpt_page_response response;
	struct emu_fault_group *group;

	if (emu_get(task, &response, from, sizeof(response)))
		return -EFAULT;
	if (response.code != UAPI_PAGE_RESP_SUCCESS && response.code != UAPI_PAGE_RESP_INVALID)
		return -EINVAL;
	group = emu_ids_find(&queue->read, response.cookie);
	if (!group) {
		if (!response.cookie)
			emu_ids_erase_zero(&queue->read);
		return -EINVAL;
	}
	emu_ids_remove(&queue->read, response.cookie, false);
	emu_fault_group_answer(group, response.code);
	return 0;
}

static ssize_t fault_write(struct emu_file *file, const struct emu_task *task, uintptr_t buffer,
                           size_t size)
{
	struct emu_fault_queue *const queue = (struct emu_fault_queue *)emu_queue_of(file);
	size_t done = 0;
	int error = 0;

	if (size % ANSWER)
		return -ESPIPE;
	while (done < size && !error) {
		error = answer(queue, task, buffer + done);
		if (!error)
			done += ANSWER;
	}
	return done ? (ssize_t)done : error;
}

const struct emu_file_ops emu_fault_file_ops = {
	.name = "anon_inode:[iommufd-pgfault]",
	.read = fault_read,
	.write = fault_write,
	.pread = emu_queue_pread,
	.pwrite = emu_queue_pread,
	.release = emu_queue_release,
};
