/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "hw-rig.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "lost-call.h"

#define MEMORY (16 * EMU_PAGE)

static struct emu_dev *add(struct hw_rig *rig, const struct emu_dev_spec *spec)
{
	struct emu_dev *dev;

	assert_int_equal(emu_dev_new(rig->emu, spec, &dev), 0);
	return dev;
}

static void add_devices(struct hw_rig *rig)
{
	const struct emu_reserved reserved = {HW_RESERVED, HW_RESERVED + 0x3fff};
	struct emu_dev_spec spec = {.iommu = rig->iommu};

	rig->devs[HW_PLAIN] = add(rig, &spec);
	rig->devs[HW_ONE] = add(rig, &spec);
	spec.pasid_bits = EMU_TEST_PASID_BITS;
	rig->devs[HW_PASIDS] = add(rig, &spec);
	spec.group_with = rig->devs[HW_ONE];
	spec.reserved = &reserved;
	spec.reserved_count = 1;
	rig->devs[HW_TWO] = add(rig, &spec);
	spec = (struct emu_dev_spec){.iommu = rig->iommu, .no_dirty = true};
	rig->devs[HW_NO_DIRTY] = add(rig, &spec);
	spec = (struct emu_dev_spec){0};
	rig->devs[HW_NOIOMMU] = add(rig, &spec);
}

struct hw_rig *hw_new(void)
{
	struct hw_rig *const rig = calloc(1, sizeof(*rig));
	struct libiommu_emu_iommu *iommu;

	assert_non_null(rig);
	assert_int_equal(libiommu_emu_new(&rig->emu), 0);
	assert_int_equal(libiommu_emu_iommu_add_test(rig->emu, &iommu), 0);
	rig->iommu = (struct emu_iommu *)iommu;
	add_devices(rig);
	rig->fd = libiommu_emu_open(rig->emu, "/dev/iommu", O_RDWR);
	assert_true(rig->fd >= 0);
	rig->ctx = emu_ctx_of(rig->emu, rig->fd);
	rig->ioas = hw_ioas(rig);
	rig->memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(rig->memory != MAP_FAILED);
	return rig;
}

void hw_free(struct hw_rig *rig)
{
	for (enum hw_dev dev = 0; dev < HW_DEVS; dev++)
		if (rig->bound[dev])
			hw_unbind(rig, dev);
	if (rig->fd >= 0)
		assert_int_equal(libiommu_emu_close(rig->emu, rig->fd), 0);
	assert_int_equal(libiommu_emu_destroy(rig->emu), 0);
	munmap(rig->memory, MEMORY);
	free(rig);
}

int hw_ioctl(struct hw_rig *rig, unsigned long request, void *cmd)
{
	return libiommu_emu_ioctl(rig->emu, rig->fd, request, cmd);
}

int hw_ioctl_lost(struct hw_rig *rig, unsigned long request, const void *cmd, size_t size)
{
	return lost_ioctl(rig->emu, rig->fd, request, cmd, size);
}

int hw_destroy(struct hw_rig *rig, uint32_t id)
{
	struct uapi_destroy cmd = {.size = sizeof(cmd), .id = id};

	return hw_ioctl(rig, UAPI_IOC_DESTROY, &cmd);
}

uint32_t hw_ioas(struct hw_rig *rig)
{
	struct uapi_ioas_alloc cmd = {.size = sizeof(cmd)};

	assert_int_equal(hw_ioctl(rig, UAPI_IOC_IOAS_ALLOC, &cmd), 0);
	return cmd.out_ioas_id;
}

struct emu_device *hw_bind(struct hw_rig *rig, enum hw_dev dev)
{
	assert_int_equal(emu_device_bind(rig->ctx, rig->devs[dev], &rig->bound[dev]), 0);
	return rig->bound[dev];
}

void hw_unbind(struct hw_rig *rig, enum hw_dev dev)
{
	emu_device_unbind(rig->bound[dev]);
	rig->bound[dev] = NULL;
}

int hw_table_with(struct hw_rig *rig, enum hw_dev dev, uint32_t pt_id, uint32_t flags,
                  uint32_t type, const void *data, uint32_t length)
{
	struct uapi_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.dev_id = rig->bound[dev]->object.id,
		.pt_id = pt_id,
		.data_type = type,
		.data_len = length,
		.data_uptr = (uintptr_t)data,
	};
	const int error = hw_ioctl(rig, UAPI_IOC_HWPT_ALLOC, &cmd);

	return error ? error : (int)cmd.out_hwpt_id;
}

int hw_table(struct hw_rig *rig, enum hw_dev dev, uint32_t pt_id, uint32_t flags)
{
	return hw_table_with(rig, dev, pt_id, flags, UAPI_HWPT_DATA_NONE, NULL, 0);
}

int hw_nested(struct hw_rig *rig, enum hw_dev dev, uint32_t pt_id, uint32_t flags)
{
	const struct emu_test_hwpt_data data = {.value = 7};

	return hw_table_with(rig, dev, pt_id, flags, EMU_TEST_HWPT_DATA, &data, sizeof(data));
}

int hw_attach(struct hw_rig *rig, enum hw_dev dev, uint32_t pt_id)
{
	return emu_device_attach(rig->bound[dev], NULL, &pt_id);
}

int hw_attach_pasid(struct hw_rig *rig, enum hw_dev dev, uint32_t pasid, uint32_t pt_id)
{
	return emu_device_attach(rig->bound[dev], &pasid, &pt_id);
}

uint32_t hw_at(struct hw_rig *rig, enum hw_dev dev, uint32_t pasid)
{
	const struct emu_attached *const attached = emu_dev_at(rig->devs[dev], pasid);

	if (!attached)
		return 0;
	assert_ptr_equal(attached->domain, attached->hwpt->domain);
	assert_int_equal(attached->pasid, pasid);
	return attached->hwpt->object.id;
}

int hw_users(struct hw_rig *rig, uint32_t id)
{
	const struct emu_object *const object = emu_object_find(rig->ctx, id, EMU_ANY);

	return object ? (int)object->users : -1;
}

int hw_map(struct hw_rig *rig, uint32_t ioas, uint64_t iova)
{
	struct uapi_ioas_map cmd = {
		.size = sizeof(cmd),
		.flags =
			UAPI_IOAS_MAP_FIXED_IOVA | UAPI_IOAS_MAP_READABLE | UAPI_IOAS_MAP_WRITEABLE,
		.ioas_id = ioas,
		.user_va = (uintptr_t)rig->memory,
		.length = MEMORY,
		.iova = iova,
	};

	return hw_ioctl(rig, UAPI_IOC_IOAS_MAP, &cmd);
}
