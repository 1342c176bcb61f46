/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* vIOMMUs, the memory they publish, and what devices are called by guests. */
#include "nest-rig.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static struct uapi_viommu_alloc viommu_cmd(const struct nest_rig *rig)
{
	return (struct uapi_viommu_alloc){
		.size = sizeof(struct uapi_viommu_alloc),
		.type = RIG_TYPE,
		.dev_id = rig->devices[0].object.id,
		.hwpt_id = rig->parent.object.id,
	};
}

static int viommu(struct nest_rig *rig, struct uapi_viommu_alloc *cmd)
{
	return rig_ioctl(rig, UAPI_IOC_VIOMMU_ALLOC, cmd);
}

static int vdevice(struct nest_rig *rig, uint32_t viommu, uint32_t device, uint64_t virt_id,
                   uint32_t *id)
{
	struct uapi_vdevice_alloc cmd = {
		.size = sizeof(cmd),
		.viommu_id = viommu,
		.dev_id = device,
		.virt_id = virt_id,
	};
	const int error = rig_ioctl(rig, UAPI_IOC_VDEVICE_ALLOC, &cmd);

	*id = cmd.out_vdevice_id;
	return error;
}

/* In the order in which the kernel finds them: what comes first hides what comes later. */
static void rules(void **state)
{
	struct nest_rig *const rig = nest_rig_new();
	struct uapi_viommu_alloc cmd = viommu_cmd(rig);

	(void)state;
	cmd.flags = 1;
	assert_int_equal(viommu(rig, &cmd), -EOPNOTSUPP);
	cmd.flags = 0;
	cmd.type = 0;
	cmd.dev_id = 99;
	assert_int_equal(viommu(rig, &cmd), -EOPNOTSUPP);
	cmd.type = RIG_TYPE + 1;
	cmd.hwpt_id = 99;
	assert_int_equal(viommu(rig, &cmd), -ENOENT);
	cmd.dev_id = rig->parent.object.id;
	assert_int_equal(viommu(rig, &cmd), -ENOENT);
	cmd.dev_id = rig->devices[2].object.id;
	assert_int_equal(viommu(rig, &cmd), -EOPNOTSUPP);
	cmd.dev_id = rig->devices[0].object.id;
	assert_int_equal(viommu(rig, &cmd), -EOPNOTSUPP);
	cmd.type = RIG_TYPE;
	assert_int_equal(viommu(rig, &cmd), -ENOENT);
	cmd.hwpt_id = rig->plain.object.id;
	assert_int_equal(viommu(rig, &cmd), -EINVAL);
	cmd.hwpt_id = rig->parent.object.id;
	rig->error = -EIO;
	assert_int_equal(viommu(rig, &cmd), -EIO);
	assert_int_equal(rig->ended, 0);
	assert_int_equal(rig_ioctl_lost(rig, UAPI_IOC_VIOMMU_ALLOC, &cmd, sizeof(cmd)), -EFAULT);
	assert_int_equal(rig->ended, 1);
	assert_int_equal(rig->parent.object.users, 0);
	rig->groups[0].iommu = NULL;
	assert_int_equal(viommu(rig, &cmd), -EOPNOTSUPP);
	rig->groups[0].iommu = &rig->iommus[0];
	RIG_FAIL_EACH(rig, viommu(rig, &cmd));
	assert_int_equal(cmd.out_viommu_id, 6);
	assert_int_equal(rig_destroy(rig, rig->parent.object.id), -EBUSY);
	assert_int_equal(rig_destroy(rig, 6), 0);
	assert_int_equal(rig->ended, 2);
	assert_int_equal(rig_destroy(rig, rig->parent.object.id), 0);
	nest_rig_free(rig);
}

/* The structure of kernels before 6.17 ends earlier: there are no data then. */
static void data(void **state)
{
	struct nest_rig *const rig = nest_rig_new();
	struct uapi_viommu_alloc cmd = viommu_cmd(rig);
	struct rig_data data[2] = {{.in = 17}, {.in = 0}};

	(void)state;
	cmd.data_uptr = (uintptr_t)data;
	cmd.data_len = sizeof(data[0]);
	assert_int_equal(viommu(rig, &cmd), 0);
	assert_int_equal(data[0].out, 17);
	cmd.data_len = 3;
	assert_int_equal(viommu(rig, &cmd), -EINVAL);
	cmd.data_len = 4; /* enough to go in, not for the answer */
	assert_int_equal(viommu(rig, &cmd), -EINVAL);
	cmd.data_len = sizeof(data); /* zero though the rest is */
	assert_int_equal(viommu(rig, &cmd), -EINVAL);
	cmd.data_len = sizeof(data[0]);
	cmd.data_uptr = 8;
	assert_int_equal(viommu(rig, &cmd), -EFAULT);
	cmd.size = offsetof(struct uapi_viommu_alloc, data_len);
	assert_int_equal(viommu(rig, &cmd), 0);
	cmd.size--;
	assert_int_equal(viommu(rig, &cmd), -EINVAL);
	nest_rig_free(rig);
}

static void *map(struct nest_rig *rig, size_t length, int prot, int flags, uint64_t offset,
                 int wanted)
{
	void *result = NULL;

	assert_int_equal(
		libiommu_emu_mmap(rig->emu, NULL, length, prot, flags, rig->fd, offset, &result),
		wanted);
	return result;
}

static int memory(void)
{
	const int fd = memfd_create("memory", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 2 * (off_t)EMU_PAGE), 0);
	assert_int_equal(pwrite(fd, "here", 4, 0), 4);
	return fd;
}

static void published(void **state)
{
	struct nest_rig *const rig = nest_rig_new();
	const int fd = memory();
	const int rw = PROT_READ | PROT_WRITE;
	uint64_t offset;
	uint32_t id;
	char *at;

	(void)state;
	map(rig, EMU_PAGE, rw, MAP_SHARED, EMU_PAGE, -ENXIO);
	rig->memory = fd;
	id = rig_viommu(rig);
	offset = rig->offset;
	assert_int_equal(offset, EMU_PAGE);
	map(rig, 2 * EMU_PAGE, rw, MAP_PRIVATE, offset, -EINVAL);
	map(rig, 2 * EMU_PAGE, rw | PROT_EXEC, MAP_SHARED, offset, -EPERM);
	map(rig, EMU_PAGE, rw, MAP_SHARED, offset, -ENXIO);
	map(rig, 3 * EMU_PAGE, rw, MAP_SHARED, offset, -ENXIO);
	map(rig, 2 * EMU_PAGE, rw, MAP_SHARED, 0, -ENXIO);
	map(rig, EMU_PAGE, rw, MAP_SHARED, offset + EMU_PAGE, -ENXIO);
	map(rig, 0, rw, MAP_SHARED, offset, -EINVAL);
	map(rig, 2 * EMU_PAGE, rw, MAP_SHARED, offset + 1, -EINVAL);
	at = map(rig, 2 * EMU_PAGE - 1, rw, MAP_SHARED, offset, 0);
	assert_memory_equal(at, "here", 4);
	assert_int_equal(rig_destroy(rig, id), -EBUSY);
	assert_int_equal(libiommu_emu_munmap(rig->emu, at, 2 * EMU_PAGE), 0);
	assert_int_equal(rig_destroy(rig, id), 0);
	map(rig, 2 * EMU_PAGE, rw, MAP_SHARED, offset, -ENXIO);
	close(fd);
	nest_rig_free(rig);
}

/* A mapping keeps the context, as it keeps the kernel's file. */
static void mapping_keeps_the_context(void **state)
{
	struct nest_rig *const rig = nest_rig_new();
	char *at;

	(void)state;
	rig->memory = memory();
	rig_viommu(rig);
	at = map(rig, 2 * EMU_PAGE, PROT_READ, MAP_SHARED, rig->offset, 0);
	assert_int_equal(libiommu_emu_close(rig->emu, rig->fd), 0);
	rig->fd = -1;
	assert_int_equal(rig->ended, 0);
	assert_int_equal(libiommu_emu_munmap(rig->emu, at, 2 * EMU_PAGE), 0);
	assert_int_equal(rig->ended, 1);
	close(rig->memory);
	nest_rig_free(rig);
}

/* Each at the lowest place that is free, and nothing stays where a vIOMMU failed to be. */
static void places(void **state)
{
	struct nest_rig *const rig = nest_rig_new();
	struct uapi_viommu_alloc cmd = viommu_cmd(rig);
	struct emu_viommu *other;
	uint32_t ids[3];
	uint64_t offset;

	(void)state;
	rig->memory = memory();
	for (size_t i = 0; i < 3; i++) {
		ids[i] = rig_viommu(rig);
		assert_int_equal(rig->offset, (1 + 2 * i) * EMU_PAGE);
	}
	assert_int_equal(rig_destroy(rig, ids[1]), 0);
	other = emu_viommu_get(rig->ctx, ids[0]);
	assert_int_equal(emu_viommu_publish(other, rig->memory, 0, 0, &offset), -EINVAL);
	assert_int_equal(emu_viommu_publish(other, rig->memory, 0, 9, &offset), -EINVAL);
	assert_int_equal(emu_viommu_publish(other, rig->memory, 0, 3 * EMU_PAGE, &offset), 0);
	assert_int_equal(offset, 7 * EMU_PAGE);
	assert_int_equal(emu_viommu_publish(other, rig->memory, 0, EMU_PAGE, &offset), 0);
	assert_int_equal(offset, 3 * EMU_PAGE);
	assert_int_equal(rig_ioctl_lost(rig, UAPI_IOC_VIOMMU_ALLOC, &cmd, sizeof(cmd)), -EFAULT);
	assert_int_equal(rig_destroy(rig, ids[0]), 0);
	RIG_FAIL_EACH(rig, viommu(rig, &cmd));
	assert_int_equal(rig->offset, EMU_PAGE);
	close(rig->memory);
	nest_rig_free(rig);
}

static void names(void **state)
{
	struct nest_rig *const rig = nest_rig_new();
	const uint32_t first = rig_viommu(rig), second = rig_viommu(rig);
	struct emu_viommu *const v = emu_viommu_get(rig->ctx, first);
	uint32_t id, other;
	uint64_t name;

	(void)state;
	assert_int_equal(vdevice(rig, 99, 1, 5, &id), -ENOENT);
	assert_int_equal(vdevice(rig, rig->parent.object.id, 1, 5, &id), -ENOENT);
	assert_int_equal(vdevice(rig, first, 99, 5, &id), -ENOENT);
	assert_int_equal(vdevice(rig, first, 3, 5, &id), -EINVAL);
	rig->error = -EIO;
	assert_int_equal(vdevice(rig, first, 1, 5, &id), -EIO);
	assert_null(rig->devices[0].vdevice);
	RIG_FAIL_EACH(rig, vdevice(rig, first, 1, UINT64_MAX, &id));
	assert_int_equal(id, second + 1);
	assert_int_equal(vdevice(rig, second, 1, 5, &other), -EEXIST);
	assert_int_equal(vdevice(rig, first, 2, UINT64_MAX, &other), -EEXIST);
	assert_null(rig->devices[1].vdevice);
	assert_int_equal(vdevice(rig, first, 2, 0, &other), 0);
	assert_int_equal(emu_viommu_virt_id(v, &rig->devs[0], &name), 0);
	assert_true(name == UINT64_MAX);
	assert_int_equal(emu_viommu_virt_id(v, &rig->devs[2], &name), -ENOENT);
	assert_ptr_equal(emu_viommu_find(v, 0)->device, &rig->devices[1]);
	assert_null(emu_viommu_find(v, 1));
	assert_int_equal(rig_destroy(rig, first), -EBUSY);
	assert_int_equal(rig_destroy(rig, id), 0);
	assert_null(emu_viommu_find(v, UINT64_MAX));
	assert_int_equal(rig_destroy(rig, other), 0);
	assert_int_equal(rig_destroy(rig, first), 0);
	assert_int_equal(vdevice(rig, second, 1, 0, &id), 0);
	assert_int_equal(id, first);
	nest_rig_free(rig);
}

static void lost_answer(void **state)
{
	struct nest_rig *const rig = nest_rig_new();
	const struct uapi_vdevice_alloc cmd = {
		.size = sizeof(cmd),
		.viommu_id = rig_viommu(rig),
		.dev_id = rig->devices[0].object.id,
	};

	(void)state;
	assert_int_equal(rig_ioctl_lost(rig, UAPI_IOC_VDEVICE_ALLOC, &cmd, sizeof(cmd)), -EFAULT);
	assert_null(rig->devices[0].vdevice);
	assert_int_equal(rig_destroy(rig, cmd.viommu_id), 0);
	nest_rig_free(rig);
}

/* The device goes first: nobody gets the id of its name until the context ends. */
static void buried(void **state)
{
	struct nest_rig *const rig = nest_rig_new();
	const uint32_t first = rig_viommu(rig);
	uint32_t id, next;

	(void)state;
	emu_vdevice_bury(&rig->devices[0]);
	assert_int_equal(vdevice(rig, first, 1, 5, &id), 0);
	emu_vdevice_bury(&rig->devices[0]);
	assert_null(rig->devices[0].vdevice);
	assert_int_equal(rig_destroy(rig, id), -ENOENT);
	assert_int_equal(vdevice(rig, first, 2, 5, &next), 0);
	assert_int_equal(next, id + 1);
	nest_rig_free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules),       cmocka_unit_test(data),
		cmocka_unit_test(published),   cmocka_unit_test(mapping_keeps_the_context),
		cmocka_unit_test(places),      cmocka_unit_test(names),
		cmocka_unit_test(lost_answer), cmocka_unit_test(buried),
	};

	return cmocka_run_group_tests_name("vIOMMUs", tests, NULL, NULL);
}
