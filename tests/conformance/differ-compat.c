/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Moves that a context is seldom asked for: VFIO's own calls, files, and what there is not. */
#include "differ.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../lib/base/uapi/iommufd.h"
#include "../../lib/base/uapi/vfio-container.h"

static void compat(struct differ *d)
{
	struct differ_thing *const ioas = differ_pick(d, DIFFER_IOAS);
	struct uapi_vfio_ioas cmd = {.size = sizeof(cmd),
	                             .ioas_id = ioas->id,
	                             .op = (uint16_t)differ_draw(d, differ_draw(d, 8) ? 3 : 6),
	                             .reserved = !differ_draw(d, 30)};
	int error, found = -1;

	fprintf(d->out, " %d op %u", differ_name(d, ioas), cmd.op);
	error = differ_call(d, UAPI_IOC_VFIO_IOAS, &cmd);
	for (int i = 0; i < DIFFER_THINGS; i++)
		if (d->things[i].kind == DIFFER_IOAS && d->things[i].id == cmd.ioas_id)
			found = i;
	fprintf(d->out, " = %d is %d", error, found);
}

/* Its argument is a number. */
static int ask(struct differ *d, unsigned long request, uint32_t value)
{
	return world_ioctl(d->world, request, (void *)(uintptr_t)value);
}

static void extension(struct differ *d)
{
	const uint32_t what = differ_draw(d, 13);

	fprintf(d->out, " %u = %d, version %d", what, ask(d, UAPI_IOC_VFIO_CHECK_EXTENSION, what),
	        ask(d, UAPI_IOC_VFIO_GET_API_VERSION, 0));
}

static void container(struct differ *d)
{
	const uint32_t type = differ_draw(d, 3) ? UAPI_VFIO_TYPE1v2_IOMMU : differ_draw(d, 10);

	fprintf(d->out, " %u = %d", type, ask(d, UAPI_IOC_VFIO_SET_IOMMU, type));
}

static void information(struct differ *d)
{
	_Alignas(8) uint8_t buffer[256];
	const uint32_t size = differ_draw(d, 4) ? differ_draw(d, 160) : 256;
	int error;

	memset(buffer, 0xaa, sizeof(buffer));
	memcpy(buffer, &size, sizeof(size));
	error = world_ioctl(d->world, UAPI_IOC_VFIO_IOMMU_GET_INFO, buffer);
	fprintf(d->out, " room %u = %d sum %#x", size, error, differ_sum(buffer, sizeof(buffer)));
}

static void dma_map(struct differ *d)
{
	const uint64_t page = differ_draw(d, DIFFER_PAGES);
	struct uapi_vfio_iommu_type1_dma_map cmd = {
		.argsz = differ_draw(d, 12) ? sizeof(cmd) : differ_draw(d, 48),
		.flags = differ_draw(d, 12) ? 1 + differ_draw(d, 3) : differ_draw(d, 16),
		.vaddr = (uintptr_t)d->memory + page * DIFFER_PAGE,
		.iova = differ_iova(d, -1),
		.size = differ_length(d)};
	int error;

	error = world_ioctl(d->world, UAPI_IOC_VFIO_IOMMU_MAP_DMA, &cmd);
	fprintf(d->out, " size %u flags %#x page %d iova %#llx length %#llx = %d", cmd.argsz,
	        cmd.flags, (int)page, (unsigned long long)cmd.iova, (unsigned long long)cmd.size,
	        error);
	if (!error)
		differ_remember(d, -1, cmd.iova, cmd.size, page);
}

static void dma_unmap(struct differ *d)
{
	struct uapi_vfio_iommu_type1_dma_unmap cmd = {
		.argsz = differ_draw(d, 12) ? sizeof(cmd) : differ_draw(d, 48),
		.flags = differ_draw(d, 8) ? 0 : differ_draw(d, 8),
		.iova = differ_iova(d, -1),
		.size = differ_length(d)};
	int error;

	if (cmd.flags && differ_draw(d, 2))
		cmd.iova = cmd.size = 0;
	fprintf(d->out, " size %u flags %#x iova %#llx length %#llx", cmd.argsz, cmd.flags,
	        (unsigned long long)cmd.iova, (unsigned long long)cmd.size);
	error = world_ioctl(d->world, UAPI_IOC_VFIO_IOMMU_UNMAP_DMA, &cmd);
	fprintf(d->out, " = %d %#llx", error, (unsigned long long)cmd.size);
}

/* Of two pages, one that can be mapped; of others, or no descriptor at all. */
static int open_file(uint32_t which)
{
	int fd = -1;

	if (which == 0)
		return open("/dev/null", O_RDWR | O_CLOEXEC);
	if (which > 1)
		fd = memfd_create("differ", MFD_CLOEXEC);
	if (fd >= 0 && ftruncate(fd, (off_t)4 * DIFFER_PAGE))
		close(fd), fd = -1;
	return fd;
}

static void map_file(struct differ *d)
{
	struct differ_thing *const ioas = differ_pick(d, DIFFER_IOAS);
	const uint32_t which = differ_draw(d, 12);
	struct uapi_ioas_map_file cmd = {
		.size = sizeof(cmd),
		.flags = differ_draw(d, 8) ? 6 + differ_draw(d, 2) : differ_draw(d, 16),
		.ioas_id = ioas->id,
		.fd = open_file(which),
		.start = (uint64_t)differ_draw(d, 5) * DIFFER_PAGE +
	                 (differ_draw(d, 10) ? 0 : differ_draw(d, 4096)),
		.length = differ_draw(d, 3) ? DIFFER_PAGE : differ_length(d),
		.iova = differ_iova(d, -1)};
	int error;

	fprintf(d->out, " %d file %u flags %#x start %#llx length %#llx iova %#llx",
	        differ_name(d, ioas), which, cmd.flags, (unsigned long long)cmd.start,
	        (unsigned long long)cmd.length, (unsigned long long)cmd.iova);
	error = differ_call(d, UAPI_IOC_IOAS_MAP_FILE, &cmd);
	fprintf(d->out, " = %d", error);
	if (!error)
		fprintf(d->out, " at %#llx", (unsigned long long)cmd.iova);
	if (cmd.fd >= 0)
		close(cmd.fd);
}

static void hw_info(struct differ *d)
{
	struct differ_thing *const dev = differ_pick(d, DIFFER_DEVICE);
	uint8_t data[32];
	struct uapi_hw_info cmd = {.size = sizeof(cmd),
	                           .flags = !differ_draw(d, 4),
	                           .dev_id = dev->id,
	                           .data_len = differ_draw(d, sizeof(data) + 1),
	                           .data_uptr = (uintptr_t)data,
	                           .in_data_type = differ_draw(d, 3) ? 0 : MOCK_HW_INFO};
	int error;

	memset(data, 0xaa, sizeof(data));
	fprintf(d->out, " %d flags %u room %u type %#x", differ_name(d, dev), cmd.flags,
	        cmd.data_len, cmd.in_data_type);
	error = differ_call(d, UAPI_IOC_GET_HW_INFO, &cmd);
	fprintf(d->out, " = %d length %u type %#x pasids %u capabilities %#llx sum %#x", error,
	        cmd.data_len, cmd.out_data_type, cmd.out_max_pasid_log2,
	        (unsigned long long)cmd.out_capabilities, differ_sum(data, sizeof(data)));
}

static void physical(struct differ *d)
{
	struct differ_thing *const ioas = differ_pick(d, DIFFER_IOAS);
	struct uapi_ioas_noiommu_get_pa cmd = {.size = sizeof(cmd),
	                                       .flags = !differ_draw(d, 8),
	                                       .ioas_id = ioas->id,
	                                       .reserved = !differ_draw(d, 8),
	                                       .iova = differ_iova(d, -1),
	                                       .length = differ_length(d)};

	fprintf(d->out, " %d %#llx %#llx", differ_name(d, ioas), (unsigned long long)cmd.iova,
	        (unsigned long long)cmd.length);
	fprintf(d->out, " = %d", differ_call(d, UAPI_IOC_IOAS_NOIOMMU_GET_PA, &cmd));
}

/* Who is charged, and by whom: too late for either, mostly. */
static void payer(struct differ *d)
{
	struct uapi_ioas_change_process change = {.size = sizeof(change),
	                                          .reserved = !differ_draw(d, 8)};
	struct uapi_option mode = {.size = sizeof(mode),
	                           .option_id = UAPI_OPTION_RLIMIT_MODE,
	                           .op = (uint16_t)differ_draw(d, 3),
	                           .object_id = !differ_draw(d, 8),
	                           .val64 = differ_draw(d, 3)};
	const bool asks = differ_draw(d, 3);

	fprintf(d->out, " op %u object %u", asks ? mode.op : 0, mode.object_id);
	fprintf(d->out, " = %d",
	        asks ? differ_call(d, UAPI_IOC_OPTION, &mode)
	             : differ_call(d, UAPI_IOC_IOAS_CHANGE_PROCESS, &change));
	fprintf(d->out, " %llu", (unsigned long long)mode.val64);
}

/* Numbers of no command: neither the test driver's nor VFIO's. */
static void unknown(struct differ *d)
{
	const uint32_t number = UAPI_CMD_BASE - 4 + differ_draw(d, 32);
	const uint32_t drawn = differ_draw(d, 128);
	uint64_t words[16] = {differ_draw(d, 130)};
	unsigned long request = UAPI_IO(number);

	if (number >= UAPI_CMD_BASE && number <= UAPI_CMD_IOAS_NOIOMMU_GET_PA)
		request = _IOC(_IOC_READ | _IOC_WRITE, ';', number, 8);
	if (!differ_draw(d, 4))
		request = _IO(drawn == ';' ? 'x' : drawn, number);
	/* What any descriptor answers to is of other places. */
	if (_IOC_TYPE(request) == 'T' || _IOC_TYPE(request) == 'f' || !_IOC_TYPE(request))
		return;
	fprintf(d->out, " %#lx size %d = %d", request, (int)words[0],
	        world_ioctl(d->world, request, words));
}

const struct differ_move differ_compat[] = {
	{"compat", compat, 3},       {"extension", extension, 1},
	{"container", container, 1}, {"information", information, 2},
	{"dma-map", dma_map, 5},     {"dma-unmap", dma_unmap, 4},
	{"map-file", map_file, 5},   {"hw-info", hw_info, 2},
	{"physical", physical, 1},   {"payer", payer, 1},
	{"unknown", unknown, 2},     {NULL, NULL, 0},
};
