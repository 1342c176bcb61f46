/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "model-rig.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../emu/heap.h"
#include "../../emu/trap.h"
#include "../../emu/vfio.h"

static uint64_t model_read(void *user, unsigned int bar, uint64_t offset, unsigned int size)
{
	struct model *const model = user;
	uint64_t value = 0;

	(void)bar;
	memcpy(&value, model->registers + offset, size);
	model->reads++;
	model->widest = size > model->widest ? size : model->widest;
	return value;
}

static void model_write(void *user, unsigned int bar, uint64_t offset, unsigned int size,
                        uint64_t value)
{
	struct model *const model = user;

	(void)bar;
	memcpy(model->registers + offset, &value, size);
	model->writes++;
	model->widest = size > model->widest ? size : model->widest;
}

static void model_reset(void *user)
{
	((struct model *)user)->resets++;
}

static const struct emu_pci_ops model_ops = {
	.read = model_read,
	.write = model_write,
	.reset = model_reset,
	.end = emu_release,
};

static void furnish_plainly(struct model *model)
{
	emu_pci_add_express(&model->pci, true);
	emu_pci_add_bar(&model->pci, 0, MODEL_SIZE, 0);
}

void model_need_traps(void)
{
	if (!emu_trap_works()) {
		print_message("skipped: no instructions of this processor are known\n");
		skip();
	}
}

int model_bind(struct model_rig *rig, int fd)
{
	struct uapi_vfio_device_bind_iommufd bind = {
		.argsz = offsetof(struct uapi_vfio_device_bind_iommufd, token_uuid_ptr),
		.iommufd = rig->iommufd,
	};

	return libiommu_emu_ioctl(rig->emu, fd, UAPI_IOC_VFIO_DEVICE_BIND_IOMMUFD, &bind);
}

int model_setup(struct model_rig *rig, void (*furnish)(struct model *model))
{
	static const struct emu_pci_ids ids = {.vendor = 0x1234, .device = 0x5678};
	struct libiommu_emu_device_config *config;
	struct libiommu_emu_iommu *iommu;

	memset(rig, 0, sizeof(*rig));
	assert_int_equal(libiommu_emu_new(&rig->emu), 0);
	rig->model = emu_alloc(sizeof(*rig->model));
	assert_non_null(rig->model);
	emu_pci_init(&rig->model->pci, &model_ops, rig->model, &ids);
	(furnish ? furnish : furnish_plainly)(rig->model);
	assert_int_equal(libiommu_emu_iommu_add_test(rig->emu, &iommu), 0);
	assert_int_equal(libiommu_emu_device_config_new(&config), 0);
	assert_int_equal(libiommu_emu_device_config_set_iommu(config, iommu), 0);
	assert_int_equal(emu_pci_add(rig->emu, config, &rig->model->pci, &rig->device), 0);
	libiommu_emu_device_config_free(config);
	rig->iommufd = libiommu_emu_open(rig->emu, "/dev/iommu", O_RDWR | O_CLOEXEC);
	assert_true(rig->iommufd >= 0);
	rig->fd = libiommu_emu_open(rig->emu, MODEL_NODE, O_RDWR | O_CLOEXEC);
	assert_true(rig->fd >= 0);
	assert_int_equal(model_bind(rig, rig->fd), 0);
	return 0;
}

void model_teardown(struct model_rig *rig)
{
	if (rig->fd >= 0)
		libiommu_emu_close(rig->emu, rig->fd);
	libiommu_emu_close(rig->emu, rig->iommufd);
	assert_int_equal(libiommu_emu_destroy(rig->emu), 0);
}

ssize_t model_pread(struct model_rig *rig, unsigned int region, uint64_t offset, void *to,
                    size_t size)
{
	return libiommu_emu_pread(rig->emu, rig->fd, to, size,
	                          ((uint64_t)region << EMU_VFIO_SHIFT) + offset);
}

ssize_t model_pwrite(struct model_rig *rig, unsigned int region, uint64_t offset, const void *from,
                     size_t size)
{
	return libiommu_emu_pwrite(rig->emu, rig->fd, from, size,
	                           ((uint64_t)region << EMU_VFIO_SHIFT) + offset);
}

uint32_t model_config(struct model_rig *rig, unsigned int at, size_t size)
{
	uint32_t value = 0;

	assert_int_equal(model_pread(rig, UAPI_VFIO_PCI_CONFIG_REGION_INDEX, at, &value, size),
	                 size);
	return value;
}

void model_set_config(struct model_rig *rig, unsigned int at, size_t size, uint32_t value)
{
	assert_int_equal(model_pwrite(rig, UAPI_VFIO_PCI_CONFIG_REGION_INDEX, at, &value, size),
	                 size);
}

void *model_map(struct model_rig *rig, unsigned int bar, int prot, uint64_t offset, size_t length)
{
	void *address;
	const int error = libiommu_emu_mmap(rig->emu, NULL, length, prot, MAP_SHARED, rig->fd,
	                                    ((uint64_t)bar << EMU_VFIO_SHIFT) + offset, &address);

	errno = -error;
	return error ? NULL : address;
}
