/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "nest-rig.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "../../emu/machine.h"
#include "lost-call.h"

struct nest_rig *nest_rig_of(const struct emu_iommu *iommu)
{
	const struct emu_iommu *const first = iommu - (iommu->name[0] - '0');

	return (struct nest_rig *)((char *)(uintptr_t)first - offsetof(struct nest_rig, iommus));
}

static void ended(struct emu_viommu *viommu)
{
	nest_rig_of(viommu->iommu)->ended++;
}

static int vdevice(struct emu_viommu *viommu, struct emu_vdevice *vdevice)
{
	struct nest_rig *const rig = nest_rig_of(viommu->iommu);
	const int error = rig->error;

	assert_ptr_not_equal(emu_viommu_find(viommu, vdevice->virt_id), vdevice);
	rig->error = 0;
	return error;
}

static const struct emu_viommu_ops viommu_ops = {.vdevice = vdevice, .end = ended};

static int copy(const struct emu_user_data *data)
{
	struct rig_data mine;
	const int error = emu_user_data_get(data, RIG_TYPE, &mine, sizeof(mine), sizeof(mine.in));

	if (error)
		return error;
	mine.out = mine.in;
	return emu_user_data_put(data, RIG_TYPE, &mine, sizeof(mine), sizeof(mine));
}

static int viommu(struct emu_iommu *iommu, struct emu_viommu *viommu, uint32_t type,
                  struct emu_domain *parent, const struct emu_user_data *data)
{
	struct nest_rig *const rig = nest_rig_of(iommu);
	int error = rig->error;

	assert_int_equal(type, RIG_TYPE);
	assert_ptr_equal(parent, &rig->domain);
	rig->error = 0;
	if (!error && data)
		error = copy(data);
	if (!error && rig->memory >= 0)
		error = emu_viommu_publish(viommu, rig->memory, 0, 2 * EMU_PAGE, &rig->offset);
	if (!error)
		viommu->ops = &viommu_ops;
	return error;
}

static bool supports_viommu(struct emu_iommu *iommu, struct emu_dev *dev, uint32_t type)
{
	(void)iommu;
	(void)dev;
	return type == RIG_TYPE;
}

static const struct emu_iommu_ops iommu_ops = {
	.viommu = viommu,
	.supports_viommu = supports_viommu,
};
static const struct emu_iommu_ops other_ops;

static void nothing(struct emu_object *object)
{
	(void)object;
}

static const struct emu_object_ops device_ops = {.type = EMU_DEVICE, .destroy = nothing};
static const struct emu_object_ops hwpt_ops = {.type = EMU_HWPT_PAGING, .destroy = nothing};

static void add_devices(struct nest_rig *rig)
{
	for (size_t i = 0; i < RIG_DEVICES; i++) {
		rig->groups[i].iommu = i < 2 ? &rig->iommus[0] : &rig->iommus[1];
		rig->devs[i].emu = rig->emu;
		rig->devs[i].page_requests = true;
		rig->devs[i].group = &rig->groups[i];
		rig->groups[i].first = &rig->devs[i];
		rig->devices[i].dev = &rig->devs[i];
		assert_int_equal(emu_object_add(rig->ctx, &rig->devices[i].object, &device_ops), 0);
	}
}

struct nest_rig *nest_rig_new(void)
{
	struct nest_rig *const rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	rig->memory = -1;
	assert_int_equal(libiommu_emu_new(&rig->emu), 0);
	rig->fd = libiommu_emu_open(rig->emu, "/dev/iommu", O_RDWR);
	assert_true(rig->fd >= 0);
	rig->ctx = emu_ctx_of(rig->emu, rig->fd);
	rig->iommus[0] = (struct emu_iommu){.ops = &iommu_ops, .emu = rig->emu, .name = "0"};
	rig->iommus[1] = (struct emu_iommu){.ops = &other_ops, .emu = rig->emu, .name = "1"};
	add_devices(rig);
	rig->domain.iommu = &rig->iommus[0];
	rig->parent = (struct emu_hwpt){.domain = &rig->domain, .nest_parent = true};
	rig->plain = (struct emu_hwpt){.domain = &rig->domain};
	assert_int_equal(emu_object_add(rig->ctx, &rig->parent.object, &hwpt_ops), 0);
	assert_int_equal(emu_object_add(rig->ctx, &rig->plain.object, &hwpt_ops), 0);
	return rig;
}

void nest_rig_free(struct nest_rig *rig)
{
	if (rig->fd >= 0)
		assert_int_equal(libiommu_emu_close(rig->emu, rig->fd), 0);
	assert_int_equal(libiommu_emu_destroy(rig->emu), 0);
	free(rig);
}

int rig_ioctl(struct nest_rig *rig, unsigned long request, void *cmd)
{
	return libiommu_emu_ioctl(rig->emu, rig->fd, request, cmd);
}

int rig_ioctl_lost(struct nest_rig *rig, unsigned long request, const void *cmd, size_t size)
{
	return lost_ioctl(rig->emu, rig->fd, request, cmd, size);
}

int rig_destroy(struct nest_rig *rig, uint32_t id)
{
	struct uapi_destroy cmd = {.size = sizeof(cmd), .id = id};

	return rig_ioctl(rig, UAPI_IOC_DESTROY, &cmd);
}

uint32_t rig_viommu(struct nest_rig *rig)
{
	struct uapi_viommu_alloc cmd = {
		.size = sizeof(cmd),
		.type = RIG_TYPE,
		.dev_id = rig->devices[0].object.id,
		.hwpt_id = rig->parent.object.id,
	};

	assert_int_equal(rig_ioctl(rig, UAPI_IOC_VIOMMU_ALLOC, &cmd), 0);
	return cmd.out_viommu_id;
}

unsigned char *edge_new(void)
{
	unsigned char *const pages = mmap(NULL, 2 * EMU_PAGE, PROT_READ | PROT_WRITE,
	                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(pages, MAP_FAILED);
	munmap(pages + EMU_PAGE, EMU_PAGE);
	return pages;
}

void edge_free(unsigned char *edge)
{
	munmap(edge, EMU_PAGE);
}

struct libiommu_emu_device *rig_device(struct nest_rig *rig, size_t i)
{
	return (struct libiommu_emu_device *)&rig->devs[i];
}
