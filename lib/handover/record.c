/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "record.h"

#define WALK(bits, name) li_walk_u##bits(walk, &record->name)
#define RECORD(name, fields)                                                                       \
	void li_##name(struct walk *walk, struct name *record)                                     \
	{                                                                                          \
		fields(WALK)                                                                       \
	}

RECORD(image_header, IMAGE_HEADER)
RECORD(entry_header, ENTRY_HEADER)
RECORD(ioas_record, IOAS_RECORD)
RECORD(queue_record, QUEUE_RECORD)
RECORD(hwpt_record, HWPT_RECORD)
RECORD(viommu_record, VIOMMU_RECORD)
RECORD(space_record, SPACE_RECORD)
RECORD(device_record, DEVICE_RECORD)
RECORD(pasid_record, PASID_RECORD)
RECORD(vdevice_record, VDEVICE_RECORD)
RECORD(veventq_record, VEVENTQ_RECORD)
RECORD(hw_queue_record, HW_QUEUE_RECORD)
RECORD(groups_record, GROUPS_RECORD)
RECORD(group_record, GROUP_RECORD)
RECORD(waiting_record, WAITING_RECORD)
