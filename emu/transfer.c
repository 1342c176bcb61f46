/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <libiommu-emu/transfer.h>

#include <errno.h>
#include <stdbool.h>
#include <time.h>

#include "../lib/base/uapi/fault.h"
#include "dev.h"
#include "transfer.h"
#include "fault.h"
#include "heap.h"
#include "machine.h"

/* It belongs to its user until that gives it back, and to the answer that is to come. */
struct libiommu_emu_transfer {
	struct emu_dev *dev;
	struct libiommu_emu_transfer *next; /* of the device, until it has ended */
	uint32_t pasid;
	uint32_t group; /* of the request that it waits for */
	uint64_t iova, length, done;
	char *buffer;
	unsigned int access;
	int result; /* once it has ended */
	bool ended;
	bool pending; /* an answer is to come */
	bool given_up;
};

static void finish(struct libiommu_emu_transfer *transfer, int result)
{
	struct libiommu_emu_transfer **at = &transfer->dev->transfers;

	while (*at != transfer)
		at = &(*at)->next;
	*at = transfer->next;
	transfer->result = result;
	transfer->ended = true;
	pthread_cond_broadcast(&transfer->dev->emu->changed);
}

/* The pages from where it stopped to its end that are missing. */
static size_t missing(const struct libiommu_emu_transfer *transfer,
                      struct emu_page_request *requests)
{
	const uint64_t last = transfer->iova + (transfer->length - 1);
	uint64_t at = (transfer->iova + transfer->done) & -EMU_PAGE;
	size_t count = 0;

	for (;; at += EMU_PAGE) {
		if (emu_dev_translate(transfer->dev, transfer->pasid, at, transfer->access, NULL,
		                      NULL) == -EFAULT)
			requests[count++] = (struct emu_page_request){
				.address = at,
				.pasid = transfer->pasid,
				.has_pasid = transfer->pasid,
				.group = transfer->group,
				.permissions = transfer->access & EMU_WRITE
			                               ? UAPI_PGFAULT_PERM_WRITE
			                               : UAPI_PGFAULT_PERM_READ,
			};
		if (count == LIBIOMMU_EMU_TRANSFER_GROUP_MAX || last - at < EMU_PAGE)
			break;
	}
	if (count)
		requests[count - 1].last = true;
	return count;
}

static void go_on(struct libiommu_emu_transfer *transfer);

static void answered(void *user, struct emu_dev *dev, uint32_t pasid, uint32_t group, uint32_t code)
{
	struct libiommu_emu_transfer *const transfer = user;

	(void)dev;
	(void)pasid;
	(void)group;
	transfer->pending = false;
	if (transfer->given_up)
		emu_release(transfer);
	else if (!transfer->ended && code == UAPI_PAGE_RESP_SUCCESS)
		go_on(transfer);
	else if (!transfer->ended)
		finish(transfer, -EFAULT);
}

/* Whatever is reported is answered, if need be at once and with a refusal. */
static void ask(struct libiommu_emu_transfer *transfer)
{
	struct emu_page_request requests[LIBIOMMU_EMU_TRANSFER_GROUP_MAX];
	size_t count;

	transfer->group = transfer->dev->next_group++ & 0x1ff; /* nine bits, as PCI has them */
	count = missing(transfer, requests);
	if (!count) {
		finish(transfer, -EIO);
		return;
	}
	transfer->pending = true;
	emu_fault_report(transfer->dev, requests, count, answered, transfer);
}

static void go_on(struct libiommu_emu_transfer *transfer)
{
	size_t done;
	const int error =
		emu_dev_dma(transfer->dev, transfer->pasid, transfer->iova + transfer->done,
	                    transfer->buffer + transfer->done, transfer->length - transfer->done,
	                    transfer->access, &done);

	transfer->done += done;
	if (error == -EFAULT)
		ask(transfer);
	else
		finish(transfer, error);
}

LIBIOMMU_API int libiommu_emu_transfer_start(struct libiommu_emu_device *device, uint32_t flags,
                                             uint32_t pasid, uint64_t iova, void *buffer,
                                             uint64_t length,
                                             struct libiommu_emu_transfer **transfer)
{
	struct emu_dev *const dev = (struct emu_dev *)device;
	struct libiommu_emu_transfer *made;
	int error = 0;

	if (!dev || !buffer || !length || !transfer || iova + (length - 1) < iova ||
	    (flags & ~LIBIOMMU_EMU_TRANSFER_WRITE))
		return -EINVAL;
	made = emu_alloc(sizeof(*made));
	if (!made)
		return -ENOMEM;
	made->dev = dev;
	made->pasid = pasid;
	made->iova = iova;
	made->length = length;
	made->buffer = buffer;
	made->access = flags & LIBIOMMU_EMU_TRANSFER_WRITE ? EMU_WRITE : EMU_READ;
	emu_lock(dev->emu);
	if (dev->removed)
		error = -ENODEV;
	else if (!emu_dev_asks(dev))
		error = -EOPNOTSUPP;
	if (!error) {
		made->next = dev->transfers;
		dev->transfers = made;
		*transfer = made;
		go_on(made);
	}
	emu_unlock(dev->emu);
	if (error)
		emu_release(made);
	return error;
}

LIBIOMMU_API int libiommu_emu_transfer_wait(struct libiommu_emu_transfer *transfer, int timeout)
{
	struct timespec deadline;
	struct libiommu_emu *emu;
	int result;

	if (!transfer)
		return -EINVAL;
	emu = transfer->dev->emu;
	emu_deadline(timeout, &deadline);
	emu_lock(emu);
	while (!transfer->ended && emu_wait(emu, timeout, &deadline))
		continue;
	result = transfer->ended ? transfer->result : -ETIMEDOUT;
	emu_unlock(emu);
	return result;
}

LIBIOMMU_API uint64_t libiommu_emu_transfer_done(const struct libiommu_emu_transfer *transfer)
{
	uint64_t done;

	if (!transfer)
		return 0;
	emu_lock(transfer->dev->emu);
	done = transfer->done;
	emu_unlock(transfer->dev->emu);
	return done;
}

LIBIOMMU_API void libiommu_emu_transfer_end(struct libiommu_emu_transfer *transfer)
{
	struct libiommu_emu *emu;
	bool pending;

	if (!transfer)
		return;
	emu = transfer->dev->emu;
	emu_lock(emu);
	if (!transfer->ended)
		finish(transfer, -EFAULT);
	pending = transfer->pending;
	transfer->given_up = true;
	emu_unlock(emu);
	if (!pending)
		emu_release(transfer);
}

void emu_transfer_abandon(struct emu_dev *dev)
{
	while (dev->transfers)
		finish(dev->transfers, -ENODEV);
}
