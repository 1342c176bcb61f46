/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Queues that hardware reads: where their memory must be, and that it stays there. */
#include "nest-rig.h"

#include <sys/mman.h>

#include "../../emu/ioas.h"

enum { TYPE = 3, IOVA = 0x100000 };

/* Four pages of memory; the address space has all of it at IOVA, and its last page before that. */
struct test {
	struct nest_rig *rig;
	struct emu_viommu *viommu;
	struct emu_ioas *ioas;
	unsigned char *memory;
	unsigned int started, ended;
	emu_phys base;
	uint64_t length;
	int error;
};

static struct test *current;

static int start(struct emu_viommu *viommu, struct emu_hw_queue *queue, uint32_t index,
                 emu_phys base, uint64_t length)
{
	assert_ptr_equal(viommu, current->viommu);
	assert_ptr_equal(queue->viommu, viommu);
	assert_int_equal(index, 5);
	current->base = base;
	current->length = length;
	current->started += !current->error;
	return current->error;
}

static void ended(struct emu_viommu *viommu, struct emu_hw_queue *queue)
{
	(void)viommu;
	(void)queue;
	current->ended++;
}

static bool supports(struct emu_viommu *viommu, uint32_t type)
{
	(void)viommu;
	return type == TYPE;
}

static const struct emu_viommu_ops no_ops,
	ops = {.hw_queue = start, .hw_queue_end = ended, .supports_hw_queue = supports};

static int map(struct test *t, uint64_t iova, void *memory, uint64_t length, uint32_t flags)
{
	struct uapi_ioas_map cmd = {
		.size = sizeof(cmd),
		.flags = UAPI_IOAS_MAP_FIXED_IOVA | flags,
		.ioas_id = t->ioas->object.id,
		.user_va = (uintptr_t)memory,
		.length = length,
		.iova = iova,
	};

	return rig_ioctl(t->rig, UAPI_IOC_IOAS_MAP, &cmd);
}

static int unmap(struct test *t, uint64_t iova, uint64_t length)
{
	struct uapi_ioas_unmap cmd = {
		.size = sizeof(cmd),
		.ioas_id = t->ioas->object.id,
		.iova = iova,
		.length = length,
	};

	return rig_ioctl(t->rig, UAPI_IOC_IOAS_UNMAP, &cmd);
}

static void begin(struct test *t)
{
	struct uapi_ioas_alloc cmd = {.size = sizeof(cmd)};

	*t = (struct test){.rig = nest_rig_new()};
	current = t;
	assert_int_equal(rig_ioctl(t->rig, UAPI_IOC_IOAS_ALLOC, &cmd), 0);
	t->ioas = emu_ioas_find(t->rig->ctx, cmd.out_ioas_id);
	t->rig->parent.ioas = t->ioas;
	t->viommu = emu_viommu_get(t->rig->ctx, rig_viommu(t->rig));
	t->viommu->ops = &ops;
	t->memory = mmap(NULL, 4 * EMU_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
	                 -1, 0);
	assert_ptr_not_equal(t->memory, MAP_FAILED);
	assert_int_equal(map(t, IOVA, t->memory, 4 * EMU_PAGE, UAPI_IOAS_MAP_READABLE), 0);
	assert_int_equal(
		map(t, IOVA - EMU_PAGE, t->memory + 3 * EMU_PAGE, EMU_PAGE, UAPI_IOAS_MAP_READABLE),
		0);
}

static void end(struct test *t)
{
	nest_rig_free(t->rig);
	assert_int_equal(t->started, t->ended);
	munmap(t->memory, 4 * EMU_PAGE);
}

static struct uapi_hw_queue_alloc command(const struct test *t, uint64_t iova, uint64_t length)
{
	return (struct uapi_hw_queue_alloc){
		.size = sizeof(struct uapi_hw_queue_alloc),
		.viommu_id = t->viommu->object.id,
		.type = TYPE,
		.index = 5,
		.nesting_parent_iova = iova,
		.length = length,
	};
}

static int run(struct test *t, struct uapi_hw_queue_alloc *cmd)
{
	return rig_ioctl(t->rig, UAPI_IOC_HW_QUEUE_ALLOC, cmd);
}

static int queue(struct test *t, uint64_t iova, uint64_t length, uint32_t *id)
{
	struct uapi_hw_queue_alloc cmd = command(t, iova, length);
	const int error = run(t, &cmd);

	*id = cmd.out_hw_queue_id;
	return error;
}

static void rules(void **state)
{
	struct uapi_hw_queue_alloc cmd;
	struct test t;

	(void)state;
	begin(&t);
	cmd = command(&t, IOVA, 0);
	cmd.flags = 1;
	assert_int_equal(run(&t, &cmd), -EOPNOTSUPP);
	cmd.flags = 0;
	cmd.type = 0;
	assert_int_equal(run(&t, &cmd), -EOPNOTSUPP);
	cmd.type = TYPE;
	cmd.viommu_id = 99;
	assert_int_equal(run(&t, &cmd), -EINVAL);
	cmd.length = UINT64_MAX - IOVA + 2;
	assert_int_equal(run(&t, &cmd), -EOVERFLOW);
	cmd.length--;
	assert_int_equal(run(&t, &cmd), -ENOENT);
	cmd = command(&t, IOVA, EMU_PAGE);
	cmd.type++;
	assert_int_equal(run(&t, &cmd), -EOPNOTSUPP);
	cmd.type--;
	t.viommu->ops = &no_ops;
	assert_int_equal(run(&t, &cmd), -EOPNOTSUPP);
	t.viommu->ops = &ops;
	t.error = -EXDEV;
	assert_int_equal(run(&t, &cmd), -EXDEV);
	t.error = 0;
	assert_int_equal(unmap(&t, IOVA, 4 * EMU_PAGE), 0);
	end(&t);
}

/* Up to the last address; an array that would be too large is no memory. */
static void lengths(void **state)
{
	struct test t;
	uint32_t id;

	(void)state;
	begin(&t);
	assert_int_equal(queue(&t, 1, UINT64_MAX, &id), -ERANGE);
	assert_int_equal(queue(&t, 0, UINT64_MAX, &id), -ERANGE);
	assert_int_equal(queue(&t, 0, UINT64_C(1) << 40, &id), -ENOMEM);
	assert_int_equal(queue(&t, UINT64_MAX - EMU_PAGE + 1, EMU_PAGE, &id), -ENOENT);
	assert_int_equal(queue(&t, IOVA + 3 * EMU_PAGE, 2 * EMU_PAGE, &id), -ENOENT);
	assert_int_equal(queue(&t, IOVA + 3 * EMU_PAGE + 1, EMU_PAGE, &id), -ENOENT);
	assert_int_equal(queue(&t, IOVA + 3 * EMU_PAGE + 1, EMU_PAGE - 1, &id), 0);
	assert_true(t.base == (uintptr_t)t.memory + 3 * EMU_PAGE + 1);
	assert_int_equal(t.length, EMU_PAGE - 1);
	end(&t);
}

/* One after the other for the guest is not enough. */
static void contiguous(void **state)
{
	struct test t;
	uint32_t id;

	(void)state;
	begin(&t);
	assert_int_equal(queue(&t, IOVA - EMU_PAGE, 2 * EMU_PAGE, &id), -EFAULT);
	assert_int_equal(unmap(&t, IOVA - EMU_PAGE, EMU_PAGE), 0);
	assert_int_equal(queue(&t, IOVA, 4 * EMU_PAGE, &id), 0);
	assert_true(t.base == (uintptr_t)t.memory);
	end(&t);
}

static void memory_stays(void **state)
{
	struct test t;
	uint32_t first, second;

	(void)state;
	begin(&t);
	assert_int_equal(queue(&t, IOVA + 100, 50, &first), 0);
	assert_int_equal(queue(&t, IOVA + 100, EMU_PAGE, &second), 0);
	/* The number between them is that of what holds the first one's memory. */
	assert_int_equal(second, first + 2);
	assert_int_equal(rig_destroy(t.rig, first + 1), -EBUSY);
	assert_int_equal(rig_destroy(t.rig, t.viommu->object.id), -EBUSY);
	assert_int_equal(unmap(&t, IOVA, 4 * EMU_PAGE), -EBUSY);
	assert_int_equal(rig_destroy(t.rig, first), 0);
	assert_int_equal(rig_destroy(t.rig, first + 1), -ENOENT);
	assert_int_equal(unmap(&t, IOVA, 4 * EMU_PAGE), -EBUSY);
	assert_int_equal(t.ended, 1);
	assert_int_equal(rig_destroy(t.rig, second), 0);
	assert_int_equal(unmap(&t, IOVA, 4 * EMU_PAGE), 0);
	assert_int_equal(rig_destroy(t.rig, t.viommu->object.id), 0);
	end(&t);
}

/* What cannot be read cannot be pinned; what is not there neither. */
static void memory_that_is_not_there(void **state)
{
	struct test t;
	uint32_t id;

	(void)state;
	begin(&t);
	assert_int_equal(map(&t, 0, t.memory, EMU_PAGE, UAPI_IOAS_MAP_WRITEABLE), 0);
	assert_int_equal(queue(&t, 0, EMU_PAGE, &id), -EPERM);
	munmap(t.memory, 4 * EMU_PAGE);
	assert_int_equal(queue(&t, IOVA, EMU_PAGE, &id), -EFAULT);
	assert_int_equal(unmap(&t, 0, UINT64_MAX), 0);
	end(&t);
}

static void failures_leave_nothing(void **state)
{
	struct uapi_hw_queue_alloc cmd;
	struct test t;
	uint32_t id;

	(void)state;
	begin(&t);
	cmd = command(&t, IOVA, 2 * EMU_PAGE);
	assert_int_equal(rig_ioctl_lost(t.rig, UAPI_IOC_HW_QUEUE_ALLOC, &cmd, sizeof(cmd)),
	                 -EFAULT);
	assert_int_equal(t.ended, 1);
	RIG_FAIL_EACH(t.rig, queue(&t, IOVA, 2 * EMU_PAGE, &id));
	assert_int_equal(id, t.viommu->object.id + 1);
	assert_int_equal(t.viommu->object.users, 1);
	assert_int_equal(rig_destroy(t.rig, id), 0);
	assert_int_equal(unmap(&t, IOVA, 4 * EMU_PAGE), 0);
	end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules),
		cmocka_unit_test(lengths),
		cmocka_unit_test(contiguous),
		cmocka_unit_test(memory_stays),
		cmocka_unit_test(memory_that_is_not_there),
		cmocka_unit_test(failures_leave_nothing),
	};

	return cmocka_run_group_tests_name("hardware queues", tests, NULL, NULL);
}
