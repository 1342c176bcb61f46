/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libiommu/irq.h>

#include "../base/uapi/vfio.h"
#include "../object/device.h"

static_assert(LIBIOMMU_IRQ_INTX == UAPI_VFIO_PCI_INTX_IRQ_INDEX &&
                      LIBIOMMU_IRQ_MSI == UAPI_VFIO_PCI_MSI_IRQ_INDEX &&
                      LIBIOMMU_IRQ_MSIX == UAPI_VFIO_PCI_MSIX_IRQ_INDEX &&
                      LIBIOMMU_IRQ_ERR == UAPI_VFIO_PCI_ERR_IRQ_INDEX &&
                      LIBIOMMU_IRQ_REQ == UAPI_VFIO_PCI_REQ_IRQ_INDEX,
              "kinds are numbered as the kernel's indices");
static_assert(LIBIOMMU_IRQ_EVENTFD == UAPI_VFIO_IRQ_INFO_EVENTFD &&
                      LIBIOMMU_IRQ_MASKABLE == UAPI_VFIO_IRQ_INFO_MASKABLE &&
                      LIBIOMMU_IRQ_AUTOMASKED == UAPI_VFIO_IRQ_INFO_AUTOMASKED &&
                      LIBIOMMU_IRQ_NORESIZE == UAPI_VFIO_IRQ_INFO_NORESIZE,
              "flags are the kernel's");
static_assert(sizeof(int) == sizeof(int32_t), "descriptors are handed on as they are");

static_assert(((int)LIBIOMMU_IRQ_MASK | (int)LIBIOMMU_IRQ_UNMASK | (int)LIBIOMMU_IRQ_TRIGGER) ==
                      UAPI_VFIO_IRQ_SET_ACTION_TYPE_MASK,
              "actions are the kernel's");

#define IRQ_FLAGS                                                                                  \
	(LIBIOMMU_IRQ_EVENTFD | LIBIOMMU_IRQ_MASKABLE | LIBIOMMU_IRQ_AUTOMASKED |                  \
	 LIBIOMMU_IRQ_NORESIZE)

/* Commands of so many eventfds need no memory. */
#define FEW 64

static const char *const names[] = {
	[LIBIOMMU_IRQ_INTX] = "INTx",
	[LIBIOMMU_IRQ_MSI] = "MSI",
	[LIBIOMMU_IRQ_MSIX] = "MSI-X",
	[LIBIOMMU_IRQ_ERR] = "the error interrupt",
	[LIBIOMMU_IRQ_REQ] = "the request interrupt",
};

struct irq_command {
	enum libiommu_irq_kind kind;
	uint32_t action; /* UAPI_VFIO_IRQ_SET_ACTION_... */
	uint32_t first;
	uint32_t count;
	const int *eventfds;   /* one a vector, or ... */
	const uint8_t *chosen; /* ... whether it is meant; both NULL: all are */
};

/* 0, or a failure that is recorded. */
static int check(struct libiommu_device *dev, const char *operation, enum libiommu_irq_kind kind)
{
	if (!dev)
		return FAIL_NULL_IN(NULL, operation);
	if ((unsigned int)kind >= sizeof(names) / sizeof(names[0]))
		return FAIL_LIBRARY(li_device_ctx(dev), operation, -EINVAL,
		                    "unknown kind of interrupt", .id = li_device_id(dev));
	return 0;
}

/*
 * Between li_device_enter() and li_device_leave(). What the device does not have is counted as 0.
 */
static int get_info(struct libiommu_device *dev, enum libiommu_irq_kind kind, uint32_t *count,
                    uint32_t *flags)
{
	struct uapi_vfio_irq_info info = {.argsz = sizeof(info), .index = kind};
	int error = li_device_ioctl(dev, UAPI_IOC_VFIO_DEVICE_GET_IRQ_INFO, &info);

	if (error == -EINVAL) {
		/* A kind that this kernel does not know, or not for a conventional PCI device. */
		info.count = 0;
		error = 0;
	}
	if (error)
		return error;
	*count = info.count;
	*flags = info.count ? info.flags & IRQ_FLAGS : 0;
	return 0;
}

int libiommu_irq_info(struct libiommu_device *dev, enum libiommu_irq_kind kind, uint32_t *count,
                      uint32_t *flags)
{
	uint32_t found_count = 0;
	uint32_t found_flags = 0;
	int error = check(dev, __func__, kind);

	if (!error)
		error = li_device_enter(dev, __func__, DEVICE_BOUND);
	if (error)
		return error;
	error = get_info(dev, kind, &found_count, &found_flags);
	li_device_leave(dev);
	if (error)
		return FAIL_KERNEL(li_device_ctx(dev), __func__, error, CALL_IRQ,
		                   .id = li_device_id(dev), .subject = names[kind]);
	if (count)
		*count = found_count;
	if (flags)
		*flags = found_flags;
	return 0;
}

/* Issue a command. @set has room for it. */
static int issue(struct libiommu_device *dev, const struct irq_command *command,
                 struct uapi_vfio_irq_set *set, size_t size)
{
	set->argsz = (uint32_t)size;
	set->flags = command->action | (command->eventfds ? UAPI_VFIO_IRQ_SET_DATA_EVENTFD
	                                : command->chosen ? UAPI_VFIO_IRQ_SET_DATA_BOOL
	                                                  : UAPI_VFIO_IRQ_SET_DATA_NONE);
	set->index = command->kind;
	set->start = command->first;
	set->count = command->count;
	if (command->eventfds)
		memcpy(set->data, command->eventfds, size - sizeof(*set));
	if (command->chosen)
		memcpy(set->data, command->chosen, size - sizeof(*set));
	li_device_keep_open(dev);
	return li_device_ioctl(dev, UAPI_IOC_VFIO_DEVICE_SET_IRQS, set);
}

static int fail(struct libiommu_device *dev, const char *operation, int error,
                const struct irq_command *command)
{
	char subject[80];

	snprintf(subject, sizeof(subject), "%s, vectors %" PRIu32 " to %" PRIu64,
	         names[command->kind], command->first,
	         (uint64_t)command->first + command->count - 1);
	return FAIL_KERNEL(li_device_ctx(dev), operation, error, CALL_IRQ, .id = li_device_id(dev),
	                   .subject = subject);
}

/*
 * From the public function's arguments on. A count of 0 means "all off" to the kernel and is for
 * libiommu_irq_disable() only.
 */
static int command_irqs(struct libiommu_device *dev, const char *operation,
                        const struct irq_command *command)
{
	union {
		struct uapi_vfio_irq_set set;
		unsigned char room[sizeof(struct uapi_vfio_irq_set) + FEW * sizeof(int)];
	} few;
	struct uapi_vfio_irq_set *set = &few.set;
	const uint32_t most = (UINT32_MAX - sizeof(*set)) / sizeof(int);
	struct libiommu_ctx *ctx;
	size_t size = sizeof(*set);
	int result = check(dev, operation, command->kind);

	if (result)
		return result;
	ctx = li_device_ctx(dev);
	if (!command->count || command->count > most)
		return FAIL_LIBRARY(ctx, operation, -EINVAL,
		                    command->count ? "too many vectors" : "no vectors are named",
		                    .id = li_device_id(dev), .subject = names[command->kind]);
	if (command->eventfds)
		size += command->count * sizeof(int);
	if (command->chosen)
		size += command->count;
	if (size > sizeof(few))
		set = malloc(size);
	if (!set)
		return FAIL_MEMORY_IN(ctx, operation);
	result = li_device_enter(dev, operation, DEVICE_BOUND);
	if (result)
		goto out;
	result = issue(dev, command, set, size);
	li_device_leave(dev);
	if (result > 0)
		/* So the kernel says how many MSI or MSI-X vectors it could have had; none is. */
		result = FAIL_LIBRARY(ctx, operation, -ENOSPC,
		                      "the machine has fewer interrupt vectors left",
		                      .id = li_device_id(dev), .amount = (uint64_t)result,
		                      .unit = "vectors left", .subject = names[command->kind]);
	else if (result)
		result = fail(dev, operation, result, command);
out:
	if (set != &few.set)
		free(set);
	return result;
}

int libiommu_irq_enable(struct libiommu_device *dev, enum libiommu_irq_kind kind, uint32_t first,
                        const int *eventfds, uint32_t count)
{
	if (!dev || !eventfds)
		return FAIL_NULL(dev ? li_device_ctx(dev) : NULL);
	for (uint32_t i = 0; i < count; i++)
		/* For MSI and MSI-X the kernel would take any negative number for -1. */
		if (eventfds[i] < -1)
			return FAIL_LIBRARY(li_device_ctx(dev), __func__, -EINVAL,
			                    "an eventfd is below -1", .id = li_device_id(dev));
	return command_irqs(dev, __func__,
	                    &(const struct irq_command){
				    .kind = kind,
				    .action = UAPI_VFIO_IRQ_SET_ACTION_TRIGGER,
				    .first = first,
				    .count = count,
				    .eventfds = eventfds,
			    });
}

int libiommu_irq_disable(struct libiommu_device *dev, enum libiommu_irq_kind kind)
{
	const struct irq_command command = {
		.kind = kind,
		.action = UAPI_VFIO_IRQ_SET_ACTION_TRIGGER,
	};
	struct uapi_vfio_irq_set set;
	uint32_t count = 0;
	uint32_t flags;
	int error = check(dev, __func__, kind);

	if (!error)
		error = li_device_enter(dev, __func__, DEVICE_BOUND);
	if (error)
		return error;
	error = issue(dev, &command, &set, sizeof(set));
	/* The kernel says the same where the kind is not enabled and where there is none of it. */
	if (error == -EINVAL) {
		error = get_info(dev, kind, &count, &flags);
		if (!error && !count)
			error = -EINVAL;
	}
	li_device_leave(dev);
	return error ? FAIL_KERNEL(li_device_ctx(dev), __func__, error, CALL_IRQ,
	                           .id = li_device_id(dev), .subject = names[kind])
	             : 0;
}

int libiommu_irq_mask(struct libiommu_device *dev, enum libiommu_irq_kind kind, uint32_t first,
                      uint32_t count)
{
	return command_irqs(dev, __func__,
	                    &(const struct irq_command){
				    .kind = kind,
				    .action = UAPI_VFIO_IRQ_SET_ACTION_MASK,
				    .first = first,
				    .count = count,
			    });
}

int libiommu_irq_unmask(struct libiommu_device *dev, enum libiommu_irq_kind kind, uint32_t first,
                        uint32_t count)
{
	return command_irqs(dev, __func__,
	                    &(const struct irq_command){
				    .kind = kind,
				    .action = UAPI_VFIO_IRQ_SET_ACTION_UNMASK,
				    .first = first,
				    .count = count,
			    });
}

int libiommu_irq_set_resample(struct libiommu_device *dev, int eventfd)
{
	if (eventfd < -1)
		return FAIL_LIBRARY(dev ? li_device_ctx(dev) : NULL, __func__, -EINVAL,
		                    "the eventfd is below -1", .id = 0);
	return command_irqs(dev, __func__,
	                    &(const struct irq_command){
				    .kind = LIBIOMMU_IRQ_INTX,
				    .action = UAPI_VFIO_IRQ_SET_ACTION_UNMASK,
				    .count = 1,
				    .eventfds = &eventfd,
			    });
}

int libiommu_irq_trigger(struct libiommu_device *dev, enum libiommu_irq_kind kind, uint32_t first,
                         uint32_t count)
{
	return command_irqs(dev, __func__,
	                    &(const struct irq_command){
				    .kind = kind,
				    .action = UAPI_VFIO_IRQ_SET_ACTION_TRIGGER,
				    .first = first,
				    .count = count,
			    });
}

int libiommu_irq_act(struct libiommu_device *dev, enum libiommu_irq_kind kind,
                     enum libiommu_irq_action action, uint32_t first, const uint8_t *chosen,
                     uint32_t count)
{
	if (!dev || !chosen)
		return FAIL_NULL(dev ? li_device_ctx(dev) : NULL);
	if (action != LIBIOMMU_IRQ_MASK && action != LIBIOMMU_IRQ_UNMASK &&
	    action != LIBIOMMU_IRQ_TRIGGER)
		return FAIL_LIBRARY(li_device_ctx(dev), __func__, -EINVAL, "unknown action",
		                    .id = li_device_id(dev));
	return command_irqs(dev, __func__,
	                    &(const struct irq_command){
				    .kind = kind,
				    .action = (uint32_t)action,
				    .first = first,
				    .count = count,
				    .chosen = chosen,
			    });
}
