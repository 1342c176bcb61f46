/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What holds for every command of the kernel, by which old and new programs get along. */
#include "suite.h"

#include <string.h>

#include "../../lib/base/uapi/iommufd.h"

static int call(struct rig *rig, unsigned long request, void *arg)
{
	return world_ioctl(rig->world, request, arg);
}

/* The end of a structure up to and with this member. */
#define LEAST(type, member) (offsetof(struct type, member) + sizeof(((struct type *)NULL)->member))
#define COMMAND(type, member, number)                                                              \
	{                                                                                          \
		.name = #number, .flags = UAPI_IOC_##number,                                       \
		.size = (uint64_t)LEAST(type, member) << 32 | sizeof(struct type)                  \
	}

/* The least that a program must know of it, as the first kernel with it had it, and all. */
static const struct variant all[] = {
	COMMAND(uapi_destroy, id, DESTROY),
	COMMAND(uapi_ioas_alloc, out_ioas_id, IOAS_ALLOC),
	COMMAND(uapi_ioas_allow_iovas, allowed_iovas, IOAS_ALLOW_IOVAS),
	COMMAND(uapi_ioas_copy, src_iova, IOAS_COPY),
	COMMAND(uapi_ioas_iova_ranges, out_iova_alignment, IOAS_IOVA_RANGES),
	COMMAND(uapi_ioas_map, iova, IOAS_MAP),
	COMMAND(uapi_ioas_unmap, length, IOAS_UNMAP),
	COMMAND(uapi_option, val64, OPTION),
	COMMAND(uapi_vfio_ioas, reserved, VFIO_IOAS),
	COMMAND(uapi_hwpt_alloc, reserved, HWPT_ALLOC),
	COMMAND(uapi_hw_info, reserved, GET_HW_INFO),
	COMMAND(uapi_hwpt_set_dirty_tracking, reserved, HWPT_SET_DIRTY_TRACKING),
	COMMAND(uapi_hwpt_get_dirty_bitmap, data, HWPT_GET_DIRTY_BITMAP),
	COMMAND(uapi_hwpt_invalidate, reserved, HWPT_INVALIDATE),
	COMMAND(uapi_ioas_map_file, iova, IOAS_MAP_FILE),
	COMMAND(uapi_viommu_alloc, out_viommu_id, VIOMMU_ALLOC),
	COMMAND(uapi_vdevice_alloc, virt_id, VDEVICE_ALLOC),
	COMMAND(uapi_ioas_change_process, reserved, IOAS_CHANGE_PROCESS),
	COMMAND(uapi_veventq_alloc, out_veventq_fd, VEVENTQ_ALLOC),
	COMMAND(uapi_hw_queue_alloc, length, HW_QUEUE_ALLOC),
};

/* The kernel's answer to an all-zero command, which it says again when the command is longer. */
static void lengths(struct rig *rig)
{
	const uint32_t least = (uint32_t)(rig->variant->size >> 32);
	const uint32_t whole = (uint32_t)rig->variant->size;
	union {
		uint32_t size;
		uint8_t bytes[256];
	} cmd;
	int plain;

	memset(&cmd, 0, sizeof(cmd));
	cmd.size = whole;
	plain = call(rig, rig->variant->flags, &cmd);
	if (plain == -ENOTTY)
		SKIP("this kernel has no such command");
	/* What it has made, if anything, goes with the context. */
	memset(&cmd, 0, sizeof(cmd));
	cmd.size = least - 1;
	RAW(-EINVAL, call(rig, rig->variant->flags, &cmd));
	memset(&cmd, 0, sizeof(cmd));
	cmd.size = whole + 8;
	RAW(plain, call(rig, rig->variant->flags, &cmd));
	memset(&cmd, 0, sizeof(cmd));
	cmd.size = whole + 8;
	cmd.bytes[whole + 7] = 1;
	RAW(-E2BIG, call(rig, rig->variant->flags, &cmd));
}

static void wrong(struct rig *rig)
{
	struct uapi_destroy cmd = {.size = sizeof(cmd)};

	RAW(-ENOENT, call(rig, UAPI_IOC_DESTROY, &cmd));
	RAW(-EFAULT, call(rig, UAPI_IOC_DESTROY, NULL));
	RAW(-ENOTTY, call(rig, UAPI_IO(UAPI_CMD_BASE - 1), &cmd));
	RAW(-ENOTTY, call(rig, UAPI_IO(UAPI_CMD_BASE + 31), &cmd));
}

/* An id of nothing, and of something else. */
static void ids(struct rig *rig)
{
	struct libiommu_hwpt *const table = rig->tables[0];
	struct libiommu_hwpt *not_a_table;
	struct libiommu_ioas *not_a_space;
	uint64_t iova;

	OK(libiommu_ioas_adopt(rig->ctx, hwpt_id(table), LIBIOMMU_ID_BORROW, &not_a_space));
	OK(libiommu_hwpt_adopt(rig->ctx, ioas_id(rig->ioas), LIBIOMMU_ID_BORROW, &not_a_table));
	FAILS(ENOENT, libiommu_ioas_map(not_a_space, rig->memory, PAGE, VM_READ_WRITE, &iova));
	FAILS(ENOENT, libiommu_hwpt_set_dirty_tracking(not_a_table, true));
	OK(libiommu_ioas_destroy(not_a_space));
	OK(libiommu_hwpt_destroy(not_a_table));
}

/* The kernel gives them out again at once: whoever keeps one has another object. */
static void ids_are_used_again(struct rig *rig)
{
	struct libiommu_ioas *const first = rig_ioas(rig);
	const uint32_t id = ioas_id(first);
	struct libiommu_ioas *late;
	uint64_t iova;

	OK(libiommu_ioas_adopt(rig->ctx, id, LIBIOMMU_ID_BORROW, &late));
	OK(rig_end(rig, first));
	FAILS(ENOENT, libiommu_ioas_map(late, rig->memory, PAGE, VM_READ_WRITE, &iova));
	print_message("# the id of what was destroyed is %s\n",
	              ioas_id(rig_ioas(rig)) == id ? "used again" : "not used again");
	OK(libiommu_ioas_destroy(late));
}

/* Flags and reserved fields that nobody knows. */
static void unknown_flags(struct rig *rig)
{
	struct uapi_ioas_alloc alloc = {.size = sizeof(alloc), .flags = 1};
	struct uapi_option option = {.size = sizeof(option), .option_id = 77};
	struct uapi_option other = {.size = sizeof(other),
	                            .option_id = UAPI_OPTION_HUGE_PAGES,
	                            .op = UAPI_OPTION_OP_GET,
	                            .object_id = 12345};
	struct uapi_ioas_map map = {.size = sizeof(map),
	                            .flags = 1U << 31,
	                            .ioas_id = ioas_id(rig->ioas),
	                            .user_va = (uintptr_t)rig->memory,
	                            .length = PAGE};

	RAW(-EOPNOTSUPP, call(rig, UAPI_IOC_IOAS_ALLOC, &alloc));
	RAW(-EOPNOTSUPP, call(rig, UAPI_IOC_OPTION, &option));
	RAW(-ENOENT, call(rig, UAPI_IOC_OPTION, &other));
	RAW(-EOPNOTSUPP, call(rig, UAPI_IOC_IOAS_MAP, &map));
	map.flags = UAPI_IOAS_MAP_READABLE;
	map.reserved = 1;
	RAW(-EOPNOTSUPP, call(rig, UAPI_IOC_IOAS_MAP, &map));
}

static const struct variant one_table = {.name = "one page table", .tables = 1};

static const struct behaviour behaviours[] = {
	{PROVES("shorter and longer than the kernel knows it", lengths), VARIANTS(all)},
	{PROVES("nothing is done that is wrong", wrong)},
	{PROVES("ids are of objects of a kind", ids), .variants = &one_table, .count = 1},
	{PROVES("an id that is kept names nothing, or another", ids_are_used_again)},
	{PROVES("what is unknown is refused", unknown_flags)},
};

THEME(commands, "commands");
