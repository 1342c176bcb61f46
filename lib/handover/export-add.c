/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Each object as an entry of the image; devices are in export-device.c. */
#include <errno.h>

#include "../nest/hw-queue.h"
#include "../nest/vdevice.h"
#include "../nest/veventq.h"
#include "../nest/viommu.h"
#include "../object/fault-queue.h"
#include "../object/hwpt.h"
#include "../object/ioas.h"
#include "../object/pasid-space.h"
#include "addition.h"
#include "record.h"

#define NULL_HANDLE(handover) FAIL_NULL((handover) ? (handover)->ctx : NULL)

int libiommu_handover_add_ioas(struct libiommu_handover *handover, uint64_t key,
                               struct libiommu_ioas *ioas)
{
	struct addition new = ADDITION(IOAS, ioas);
	struct ioas_record record;
	int error;

	if (!handover || !ioas)
		return NULL_HANDLE(handover);
	error = li_addition_begin(&new, li_ioas_ctx(ioas));
	if (error)
		return error;
	record.id = li_ioas_id(ioas);
	record.own = li_ioas_is_own(ioas);
	libiommu_ioas_mapped(ioas, &record.mapped, &record.others);
	li_ioas_record(&handover->body, &record);
	return li_addition_end(&new, 0);
}

int libiommu_handover_add_fault_queue(struct libiommu_handover *handover, uint64_t key,
                                      struct libiommu_fault_queue *queue)
{
	struct addition new = ADDITION(FAULT_QUEUE, queue);
	struct queue_record record = {0};
	int error;

	if (!handover || !queue)
		return NULL_HANDLE(handover);
	error = li_addition_begin(&new, li_fault_queue_ctx(queue));
	if (error)
		return error;
	if (li_fault_queue_descriptor(queue) < 0)
		error = -EBADF;
	else
		error = li_addition_fd(&new, li_fault_queue_descriptor(queue), &record.fd);
	record.id = li_fault_queue_id(queue);
	record.own = li_fault_queue_is_own(queue);
	li_queue_record(&handover->body, &record);
	return li_addition_end(&new, error);
}

int libiommu_handover_add_hwpt(struct libiommu_handover *handover, uint64_t key,
                               struct libiommu_hwpt *hwpt)
{
	struct addition new = ADDITION(HWPT, hwpt);
	struct hwpt_record record;
	int error;

	if (!handover || !hwpt)
		return NULL_HANDLE(handover);
	error = li_addition_begin(&new, li_hwpt_ctx(hwpt));
	if (error)
		return error;
	record.id = li_hwpt_id(hwpt);
	record.own = li_hwpt_is_own(hwpt);
	record.base = li_addition_number(&new, li_hwpt_origin(hwpt, &record.data_type));
	record.queue = li_addition_number(&new, li_hwpt_fault_queue(hwpt));
	record.tracking = li_hwpt_dirty(hwpt)->tracking;
	li_hwpt_record(&handover->body, &record);
	return li_addition_end(&new, 0);
}

int libiommu_handover_add_viommu(struct libiommu_handover *handover, uint64_t key,
                                 struct libiommu_viommu *viommu)
{
	struct addition new = ADDITION(VIOMMU, viommu);
	struct viommu_record record;
	unsigned char *data;
	size_t length;
	int error;

	if (!handover || !viommu)
		return NULL_HANDLE(handover);
	error = li_addition_begin(&new, li_viommu_ctx(viommu));
	if (error)
		return error;
	record.id = li_viommu_id(viommu);
	record.own = li_viommu_is_own(viommu);
	record.type = li_viommu_type(viommu);
	record.parent = li_addition_number(&new, li_viommu_parent(viommu));
	data = li_viommu_bytes(viommu, &length);
	record.length = (uint32_t)length;
	li_viommu_record(&handover->body, &record);
	li_walk_bytes(&handover->body, data, length);
	return li_addition_end(&new, 0);
}

int libiommu_handover_add_pasid_space(struct libiommu_handover *handover, uint64_t key,
                                      struct libiommu_pasid_space *space)
{
	struct addition new = ADDITION(PASID_SPACE, space);
	struct space_record record;
	int error;

	if (!handover || !space)
		return NULL_HANDLE(handover);
	error = li_addition_begin(&new, li_pasid_space_ctx(space));
	if (error)
		return error;
	record.flags = li_pasid_space_flags(space);
	li_space_record(&handover->body, &record);
	return li_addition_end(&new, 0);
}

int libiommu_handover_add_vdevice(struct libiommu_handover *handover, uint64_t key,
                                  struct libiommu_vdevice *vdev)
{
	struct addition new = ADDITION(VDEVICE, vdev);
	struct vdevice_record record;
	int error;

	if (!handover || !vdev)
		return NULL_HANDLE(handover);
	error = li_addition_begin(&new, li_viommu_ctx(li_vdevice_viommu(vdev)));
	if (error)
		return error;
	error = libiommu_vdevice_id(vdev, &record.id);
	record.viommu = li_addition_number(&new, li_vdevice_viommu(vdev));
	record.device = li_addition_number(&new, li_vdevice_device(vdev, &record.virt_id));
	li_vdevice_record(&handover->body, &record);
	return li_addition_end(&new, error);
}

int libiommu_handover_add_veventq(struct libiommu_handover *handover, uint64_t key,
                                  struct libiommu_veventq *queue)
{
	struct addition new = ADDITION(VEVENTQ, queue);
	struct veventq_record record = {0};
	int error;

	if (!handover || !queue)
		return NULL_HANDLE(handover);
	error = li_addition_begin(&new, li_viommu_ctx(queue->viommu));
	if (error)
		return error;
	error = queue->fd < 0 ? -EBADF : li_addition_fd(&new, queue->fd, &record.fd);
	record.id = queue->id;
	record.own = queue->own_id;
	record.type = queue->type;
	record.viommu = li_addition_number(&new, queue->viommu);
	record.length = queue->layout.length;
	record.id_offset = queue->layout.id_offset;
	record.id_length = queue->layout.id_length;
	record.little_endian = queue->layout.little_endian;
	record.counts = queue->counts;
	record.expected = queue->expected;
	record.lost = queue->lost;
	li_veventq_record(&handover->body, &record);
	return li_addition_end(&new, error);
}

int libiommu_handover_add_hw_queue(struct libiommu_handover *handover, uint64_t key,
                                   struct libiommu_hw_queue *queue)
{
	struct addition new = ADDITION(HW_QUEUE, queue);
	struct hw_queue_record record;
	int error;

	if (!handover || !queue)
		return NULL_HANDLE(handover);
	error = li_addition_begin(&new, li_viommu_ctx(li_hw_queue_viommu(queue)));
	if (error)
		return error;
	libiommu_hw_queue_id(queue, &record.id);
	record.viommu = li_addition_number(&new, li_hw_queue_viommu(queue));
	li_hw_queue_record(&handover->body, &record);
	return li_addition_end(&new, 0);
}
