/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* SET_IRQS: what a program may do with each kind of interrupt. */
#include <errno.h>
#include <unistd.h>

#include "heap.h"
#include "caller.h"
#include "vfio-irqs.h"
#include "watch.h"

/* A command, with its data as one of these. */
struct command {
	uint32_t kind, action, data;
	uint32_t first, count;
	const uint8_t *bools;
	const int32_t *fds;
	const struct emu_task *task;
};

/* Whether it is meant for the i-th, by a command that has no eventfds. */
static bool chosen(const struct command *command, uint32_t i)
{
	return command->data == UAPI_VFIO_IRQ_SET_DATA_NONE || command->bools[i];
}

/* A descriptor of the machine's own for an eventfd of the caller's; or -errno. */
static int take_eventfd(const struct command *command, uint32_t i)
{
	return emu_caller_eventfd(command->fds[i]);
}

static void unmask_by_event(void *user)
{
	emu_vfio_intx_unmask(user);
}

static int set_unmask_event(struct emu_vfio *vfio, const struct command *command)
{
	struct emu_vfio_irqs *const irqs = &vfio->irqs;
	int error, fd;

	if (command->fds[0] < 0) {
		if (irqs->unmask)
			emu_watch_remove(irqs->unmask);
		irqs->unmask = NULL;
		return 0;
	}
	fd = take_eventfd(command, 0);
	if (fd < 0)
		return fd;
	error = irqs->unmask
	                ? -EBUSY
	                : emu_watch_add(vfio->dev->emu, fd, unmask_by_event, vfio, &irqs->unmask);
	if (error)
		close(fd);
	return error;
}

static int set_intx_trigger(struct emu_vfio *vfio, const struct command *command)
{
	struct emu_vfio_irqs *const irqs = &vfio->irqs;
	const bool enabled = irqs->kind == UAPI_VFIO_PCI_INTX_IRQ_INDEX;
	int fd = -1;
	int error;

	if (enabled && !command->count && command->data == UAPI_VFIO_IRQ_SET_DATA_NONE) {
		emu_vfio_irqs_disable(vfio);
		return 0;
	}
	if ((!enabled && irqs->kind != UAPI_VFIO_PCI_NUM_IRQS) || command->first ||
	    command->count != 1)
		return -EINVAL;
	if (command->data != UAPI_VFIO_IRQ_SET_DATA_EVENTFD) {
		if (!enabled)
			return -EINVAL;
		if (chosen(command, 0))
			emu_vfio_intx_signal(vfio);
		return 0;
	}
	if (command->fds[0] >= 0) {
		fd = take_eventfd(command, 0);
		if (fd < 0)
			return fd;
	}
	if (enabled) {
		emu_vfio_set_trigger(&irqs->triggers[0], fd);
		return 0;
	}
	error = emu_vfio_intx_enable(vfio, fd);
	if (error && fd >= 0)
		close(fd);
	return error;
}

static int set_intx(struct emu_vfio *vfio, const struct command *command)
{
	const bool unmask = command->action == UAPI_VFIO_IRQ_SET_ACTION_UNMASK;

	if (command->action == UAPI_VFIO_IRQ_SET_ACTION_TRIGGER)
		return set_intx_trigger(vfio, command);
	if (!unmask && command->action != UAPI_VFIO_IRQ_SET_ACTION_MASK)
		return -ENOTTY;
	if (vfio->irqs.kind != UAPI_VFIO_PCI_INTX_IRQ_INDEX || command->first ||
	    command->count != 1)
		return -EINVAL;
	if (command->data == UAPI_VFIO_IRQ_SET_DATA_EVENTFD)
		return unmask ? set_unmask_event(vfio, command) : -ENOTTY;
	if (!chosen(command, 0))
		return 0;
	if (unmask)
		emu_vfio_intx_unmask(vfio);
	else
		emu_vfio_intx_mask(vfio);
	return 0;
}

static int set_message(struct emu_vfio *vfio, uint32_t vector, const struct command *command,
                       uint32_t i)
{
	int error = emu_vfio_message_set(vfio, vector, -1);
	int fd;

	if (command->fds[i] < 0)
		/* There is nothing to take away from a vector that there is not. */
		return 0;
	if (error)
		return error;
	fd = take_eventfd(command, i);
	return fd < 0 ? fd : emu_vfio_message_set(vfio, vector, fd);
}

/* All of them, or none has a trigger any more of those up to the one that failed. */
static int set_messages(struct emu_vfio *vfio, const struct command *command)
{
	int error = 0;
	uint32_t i;

	for (i = 0; i < command->count && !error; i++)
		error = set_message(vfio, command->first + i, command, i);
	while (error && i--)
		emu_vfio_message_set(vfio, command->first + i, -1);
	return error;
}

static int set_message_trigger(struct emu_vfio *vfio, const struct command *command)
{
	struct emu_vfio_irqs *const irqs = &vfio->irqs;
	const bool enabled = irqs->kind == command->kind;
	int error;

	if (command->action != UAPI_VFIO_IRQ_SET_ACTION_TRIGGER)
		return -ENOTTY;
	if (enabled && !command->count && command->data == UAPI_VFIO_IRQ_SET_DATA_NONE) {
		emu_vfio_irqs_disable(vfio);
		return 0;
	}
	if (!enabled && irqs->kind != UAPI_VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	if (command->data == UAPI_VFIO_IRQ_SET_DATA_EVENTFD) {
		if (enabled)
			return set_messages(vfio, command);
		/* Not even one: so the kernel's own machinery says it. */
		if (!(command->first + command->count))
			return -ERANGE;
		error = emu_vfio_messages_enable(vfio, command->kind,
		                                 command->first + command->count);
		if (error)
			return error;
		error = set_messages(vfio, command);
		if (error)
			emu_vfio_irqs_disable(vfio);
		return error;
	}
	if (!enabled)
		return -EINVAL;
	for (uint32_t i = 0; i < command->count && command->first + i < irqs->count; i++)
		if (irqs->triggers[command->first + i] >= 0 && chosen(command, i))
			emu_event_signal(irqs->triggers[command->first + i]);
	return 0;
}

/* The one eventfd of errors, or of requests. */
static int set_single(struct emu_vfio *vfio, const struct command *command)
{
	int *const trigger = command->kind == UAPI_VFIO_PCI_ERR_IRQ_INDEX ? &vfio->irqs.error
	                                                                  : &vfio->irqs.request;
	int fd = -1;

	if (command->action != UAPI_VFIO_IRQ_SET_ACTION_TRIGGER)
		return -ENOTTY;
	if (command->first || command->count > 1)
		return -EINVAL;
	if (command->data == UAPI_VFIO_IRQ_SET_DATA_NONE) {
		if (*trigger < 0)
			return -EINVAL;
		if (command->count)
			emu_event_signal(*trigger);
		else
			emu_vfio_set_trigger(trigger, -1);
		return 0;
	}
	if (!command->count)
		return -EINVAL;
	if (command->data == UAPI_VFIO_IRQ_SET_DATA_BOOL) {
		if (command->bools[0] && *trigger >= 0)
			emu_event_signal(*trigger);
		return 0;
	}
	if (command->fds[0] < -1)
		return -EINVAL;
	if (command->fds[0] >= 0)
		fd = take_eventfd(command, 0);
	if (command->fds[0] >= 0 && fd < 0)
		return fd;
	emu_vfio_set_trigger(trigger, fd);
	return 0;
}

static int dispatch(struct emu_vfio *vfio, const struct command *command)
{
	switch (command->kind) {
	case UAPI_VFIO_PCI_INTX_IRQ_INDEX:
		return set_intx(vfio, command);
	case UAPI_VFIO_PCI_MSI_IRQ_INDEX:
	case UAPI_VFIO_PCI_MSIX_IRQ_INDEX:
		return set_message_trigger(vfio, command);
	default:
		return set_single(vfio, command);
	}
}

/* Bytes of data that the command has, or -EINVAL. */
static int64_t check(const struct emu_vfio *vfio, const struct uapi_vfio_irq_set *set)
{
	const uint32_t known =
		UAPI_VFIO_IRQ_SET_DATA_TYPE_MASK | UAPI_VFIO_IRQ_SET_ACTION_TYPE_MASK;
	const uint32_t there = emu_vfio_irq_count(vfio, set->index);
	uint64_t size;

	if (set->argsz < sizeof(*set) || set->index >= UAPI_VFIO_PCI_NUM_IRQS ||
	    set->count >= UINT32_MAX - set->start || set->flags & ~known)
		return -EINVAL;
	if (set->start >= there || set->start + set->count > there)
		return -EINVAL;
	switch (set->flags & UAPI_VFIO_IRQ_SET_DATA_TYPE_MASK) {
	case UAPI_VFIO_IRQ_SET_DATA_NONE:
		return 0;
	case UAPI_VFIO_IRQ_SET_DATA_BOOL:
		size = set->count;
		break;
	case UAPI_VFIO_IRQ_SET_DATA_EVENTFD:
		size = set->count * sizeof(int32_t);
		break;
	default:
		return -EINVAL;
	}
	return set->argsz - sizeof(*set) < size ? -EINVAL : (int64_t)size;
}

int emu_vfio_set_irqs(struct emu_vfio *vfio, const struct emu_task *task, uintptr_t arg)
{
	struct uapi_vfio_irq_set set;
	struct command command;
	void *data = NULL;
	int64_t size;
	int error;

	if (emu_get(task, &set, arg, sizeof(set)))
		return -EFAULT;
	size = check(vfio, &set);
	if (size < 0)
		return (int)size;
	if (size) {
		data = emu_alloc((size_t)size);
		if (!data)
			return -ENOMEM;
		if (emu_get(task, data, arg + sizeof(set), (size_t)size)) {
			emu_release(data);
			return -EFAULT;
		}
	}
	command = (struct command){
		.kind = set.index,
		.action = set.flags & UAPI_VFIO_IRQ_SET_ACTION_TYPE_MASK,
		.data = set.flags & UAPI_VFIO_IRQ_SET_DATA_TYPE_MASK,
		.first = set.start,
		.count = set.count,
		.bools = data,
		.fds = data,
		.task = task,
	};
	error = dispatch(vfio, &command);
	emu_release(data);
	return error;
}
