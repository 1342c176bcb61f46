/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "request.h"

#include <libiommu-emu/request.h>

#include <errno.h>
#include <time.h>

#include "dev.h"
#include "fault.h"
#include "heap.h"
#include "machine.h"

#define PERMISSIONS                                                                                \
	(LIBIOMMU_EMU_REQUEST_READ | LIBIOMMU_EMU_REQUEST_WRITE | LIBIOMMU_EMU_REQUEST_EXEC |      \
	 LIBIOMMU_EMU_REQUEST_PRIVILEGED)

_Static_assert(LIBIOMMU_EMU_ANSWER_FAILURE == EMU_ANSWER_FAILURE, "the same codes");

/* There from the beginning, so that an answer needs no memory. */
struct emu_answer {
	struct emu_answer *next; /* of the device */
	uint32_t pasid, group, code;
};

static void answered(void *user, struct emu_dev *dev, uint32_t pasid, uint32_t group, uint32_t code)
{
	struct emu_answer *const answer = user;

	if (dev->removed) {
		emu_release(answer);
		return;
	}
	answer->pasid = pasid;
	answer->group = group;
	answer->code = code;
	if (dev->answers)
		dev->last_answer->next = answer;
	else
		dev->answers = answer;
	dev->last_answer = answer;
	pthread_cond_broadcast(&dev->emu->changed);
}

void emu_requests_forget(struct emu_dev *dev)
{
	while (dev->answers) {
		struct emu_answer *const answer = dev->answers;

		dev->answers = answer->next;
		emu_release(answer);
	}
	pthread_cond_broadcast(&dev->emu->changed);
}

/* That nobody is there is no error: the answer says so. */
static int send(struct emu_dev *dev, const struct emu_page_request *request)
{
	struct emu_answer *answer = NULL;

	if (dev->removed)
		return -ENODEV;
	if (!emu_dev_asks(dev))
		return -EOPNOTSUPP;
	if (request->last) {
		answer = emu_alloc(sizeof(*answer));
		if (!answer)
			return -ENOMEM;
	}
	return emu_fault_report(dev, request, 1, answered, answer) == -ENOMEM ? -ENOMEM : 0;
}

LIBIOMMU_API int libiommu_emu_request_page(struct libiommu_emu_device *device, uint32_t flags,
                                           uint32_t pasid, uint32_t group, uint64_t address)
{
	struct emu_dev *const dev = (struct emu_dev *)device;
	const struct emu_page_request request = {
		.address = address,
		.pasid = pasid,
		.group = group,
		.permissions = flags & PERMISSIONS,
		.has_pasid = flags & LIBIOMMU_EMU_REQUEST_PASID,
		.last = flags & LIBIOMMU_EMU_REQUEST_LAST,
	};
	int error;

	if (!dev || (pasid && !request.has_pasid) ||
	    flags & ~(PERMISSIONS | LIBIOMMU_EMU_REQUEST_PASID | LIBIOMMU_EMU_REQUEST_LAST))
		return -EINVAL;
	emu_lock(dev->emu);
	error = send(dev, &request);
	emu_unlock(dev->emu);
	return error;
}

static int take(struct emu_dev *dev, struct emu_answer *taken)
{
	struct emu_answer *const answer = dev->answers;

	if (dev->removed)
		return -ENODEV;
	if (!answer)
		return -ETIMEDOUT;
	*taken = *answer;
	dev->answers = answer->next;
	emu_release(answer);
	return 0;
}

LIBIOMMU_API int libiommu_emu_request_answer(struct libiommu_emu_device *device, int timeout,
                                             uint32_t *pasid, uint32_t *group, uint32_t *code)
{
	struct emu_dev *const dev = (struct emu_dev *)device;
	struct emu_answer answer;
	struct timespec deadline;
	int error;

	if (!dev || !code)
		return -EINVAL;
	emu_deadline(timeout, &deadline);
	emu_lock(dev->emu);
	while (!dev->answers && !dev->removed && emu_wait(dev->emu, timeout, &deadline))
		continue;
	error = take(dev, &answer);
	emu_unlock(dev->emu);
	if (error)
		return error;
	if (pasid)
		*pasid = answer.pasid;
	if (group)
		*group = answer.group;
	*code = answer.code;
	return 0;
}
