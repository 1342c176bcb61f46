/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The image of a context, as bytes: a header, the descriptors' numbers, the objects with parents
 * before children, and then the page requests that are unanswered, by queue. Each of the last two
 * is an entry: its kind (enum libiommu_object_kind, or ENTRY_GROUPS), the length of what follows,
 * the program's key, and the record of its kind. Entries name each other by their number, from 0;
 * the kernel's objects have their ids.
 *
 * A newer version may add kinds, and fields at the end of a record: a reader that does not know
 * them refuses the image.
 */
#ifndef LIBIOMMU_HANDOVER_RECORD_H
#define LIBIOMMU_HANDOVER_RECORD_H

#include "walk.h"

#define IMAGE_MAGIC   UINT64_C(0x76682d756d6d6f69) /* "iommu-hv" */
#define IMAGE_VERSION 1
/* What a successor reads: room for a million address spaces, or for all PASIDs of forty devices. */
#define IMAGE_SIZE_MAX (UINT64_C(1) << 30)
#define ENTRY_GROUPS   UINT32_C(256)
/* In the place of an entry's number. */
#define ENTRY_NONE    UINT32_MAX
#define ENTRY_PRIVATE (UINT32_MAX - 1) /* a PASID space that is the device's alone */

#define IMAGE_HEADER_SIZE   32
#define ENTRY_HEADER_SIZE   16
#define GROUP_RECORD_SIZE   20
#define WAITING_RECORD_SIZE 56

/* Each record is said once, field by field: number(bits, name). */
#define IMAGE_HEADER(number)                                                                       \
	number(64, magic);                                                                         \
	number(32, version);                                                                       \
	number(32, descriptors); /* the first is the context's */                                  \
	number(32, entries);                                                                       \
	number(32, reserved);                                                                      \
	number(64, size); /* of the whole image */

#define ENTRY_HEADER(number)                                                                       \
	number(32, kind);                                                                          \
	number(32, length); /* of the record */                                                    \
	number(64, key);

#define IOAS_RECORD(number)                                                                        \
	number(32, id);                                                                            \
	number(32, own);                                                                           \
	number(64, mapped);                                                                        \
	number(64, others);

#define QUEUE_RECORD(number)                                                                       \
	number(32, id);                                                                            \
	number(32, own);                                                                           \
	number(32, fd); /* which of the descriptors */

#define HWPT_RECORD(number)                                                                        \
	number(32, id);                                                                            \
	number(32, own);                                                                           \
	number(32, data_type);                                                                     \
	number(32, tracking);                                                                      \
	number(32, base);  /* what it is made on */                                                \
	number(32, queue); /* where its page requests go */

/* Followed by the vendor's data. */
#define VIOMMU_RECORD(number)                                                                      \
	number(32, id);                                                                            \
	number(32, own);                                                                           \
	number(32, type);                                                                          \
	number(32, parent);                                                                        \
	number(32, length);

#define SPACE_RECORD(number) number(32, flags);

/* Followed by its PASIDs. */
#define DEVICE_RECORD(number)                                                                      \
	number(32, fd);                                                                            \
	number(32, id);                                                                            \
	number(64, label);                                                                         \
	number(32, shared_group);                                                                  \
	number(32, pt_id);  /* what is attached, 0 for nothing ... */                              \
	number(32, target); /* ... and its handle */                                               \
	number(32, generation);                                                                    \
	number(64, tag);                                                                           \
	number(64, told_tag); /* struct told */                                                    \
	number(32, told_generation);                                                               \
	number(32, ended); /* struct name */                                                       \
	number(32, space);                                                                         \
	number(32, used);                                                                          \
	number(32, limit);                                                                         \
	number(32, pasids);

#define PASID_RECORD(number)                                                                       \
	number(32, pasid);                                                                         \
	number(32, vpasid);                                                                        \
	number(32, hwpt);                                                                          \
	number(32, generation);                                                                    \
	number(64, tag);

#define VDEVICE_RECORD(number)                                                                     \
	number(32, id);                                                                            \
	number(32, viommu);                                                                        \
	number(32, device);                                                                        \
	number(64, virt_id);

#define VEVENTQ_RECORD(number)                                                                     \
	number(32, id);                                                                            \
	number(32, own);                                                                           \
	number(32, fd);                                                                            \
	number(32, type);                                                                          \
	number(32, viommu);                                                                        \
	number(32, length);                                                                        \
	number(32, id_offset);                                                                     \
	number(32, id_length);                                                                     \
	number(32, little_endian);                                                                 \
	number(32, counts);                                                                        \
	number(32, expected);                                                                      \
	number(64, lost);

#define HW_QUEUE_RECORD(number)                                                                    \
	number(32, id);                                                                            \
	number(32, viommu);

/* Followed by the groups, and by the page requests that were read and that nobody has had yet. */
#define GROUPS_RECORD(number)                                                                      \
	number(64, generation); /* no token of the queue has this one or a later one */            \
	number(32, queue);                                                                         \
	number(32, count);                                                                         \
	number(32, waiting);                                                                       \
	number(32, reserved);

#define GROUP_RECORD(number)                                                                       \
	number(64, token);                                                                         \
	number(32, cookie);                                                                        \
	number(32, device); /* what it came through; ENTRY_NONE where that is not known */         \
	number(32, pasid);  /* 0: the device's own page table */

/* As struct libiommu_record. */
#define WAITING_RECORD(number)                                                                     \
	number(64, label);                                                                         \
	number(64, token);                                                                         \
	number(64, address);                                                                       \
	number(64, tag);                                                                           \
	number(32, flags);                                                                         \
	number(32, permissions);                                                                   \
	number(32, length);                                                                        \
	number(32, vpasid);                                                                        \
	number(32, group);                                                                         \
	number(32, attachment);

/* All of them: each is a structure, and a function that reads or writes it. */
#define RECORDS(record)                                                                            \
	record(image_header, IMAGE_HEADER) record(entry_header, ENTRY_HEADER) record(              \
		ioas_record, IOAS_RECORD) record(queue_record, QUEUE_RECORD)                       \
		record(hwpt_record, HWPT_RECORD) record(viommu_record, VIOMMU_RECORD) record(      \
			space_record, SPACE_RECORD) record(device_record, DEVICE_RECORD)           \
			record(pasid_record, PASID_RECORD) record(vdevice_record, VDEVICE_RECORD)  \
				record(veventq_record, VEVENTQ_RECORD) record(hw_queue_record,     \
	                                                                      HW_QUEUE_RECORD)     \
					record(groups_record, GROUPS_RECORD)                       \
						record(group_record, GROUP_RECORD)                 \
							record(waiting_record, WAITING_RECORD)

#define FIELD(bits, name) uint##bits##_t name
#define RECORD(name, fields)                                                                       \
	struct name {                                                                              \
		fields(FIELD)                                                                      \
	};                                                                                         \
	/* Reads or writes it. */                                                                  \
	void li_##name(struct walk *walk, struct name *record);

RECORDS(RECORD)

#undef RECORD
#undef FIELD

#endif
