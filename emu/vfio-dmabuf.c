/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* BARs as dma-bufs, which other devices can reach once they are mapped for them. */
#include "vfio-dmabuf.h"

#include <errno.h>
#include <fcntl.h>

#include "dmabuf.h"
#include "heap.h"

#define RANGES_MOST 65536U

/* One that is exported; it outlives the device's descriptor, and is of no use then. */
struct emu_vfio_dmabuf {
	struct emu_dmabuf dmabuf;
	struct emu_vfio *vfio; /* NULL: the device was closed */
	struct emu_vfio_dmabuf *next;
};

static void free_dmabuf(struct emu_dmabuf *base)
{
	struct emu_vfio_dmabuf *const dmabuf = (struct emu_vfio_dmabuf *)base;
	struct emu_vfio_dmabuf **link;

	if (dmabuf->vfio) {
		for (link = &dmabuf->vfio->dmabufs; *link != dmabuf; link = &(*link)->next)
			;
		*link = dmabuf->next;
	}
	emu_release(dmabuf);
}

/* Whole pages inside the BAR; of several together there is no one place. */
static int find_place(struct emu_pci *pci, uint32_t index,
                      const struct uapi_vfio_region_dma_range *ranges, uint32_t count,
                      struct emu_dmabuf *dmabuf)
{
	const struct emu_bar *const bar = &pci->bars[index];
	uint64_t length = 0;
	int error;

	for (uint32_t i = 0; i < count; i++) {
		const uint64_t start = ranges[i].offset;
		const uint64_t size = ranges[i].length;

		if (!size || (start | size) & (EMU_PAGE - 1) || length + size < length)
			return -EINVAL;
		length += size;
	}
	for (uint32_t i = 0; i < count; i++)
		if (ranges[i].offset > bar->size || ranges[i].length > bar->size - ranges[i].offset)
			return -EINVAL;
	error = emu_pci_bar_place(pci, index, &dmabuf->phys);
	if (error)
		return error;
	dmabuf->phys = count == 1 ? dmabuf->phys + ranges[0].offset : EMU_PHYS_NONE;
	dmabuf->length = length;
	return 0;
}

static int get_ranges(const struct emu_task *task, uintptr_t from, uint32_t count,
                      struct uapi_vfio_region_dma_range **ranges)
{
	const size_t size = (size_t)count * sizeof(**ranges);

	/* As much as the kernel has in one piece. */
	if (count > RANGES_MOST)
		return -ENOMEM;
	*ranges = emu_alloc(size);
	if (!*ranges)
		return -ENOMEM;
	if (!emu_get(task, *ranges, from, size))
		return 0;
	emu_release(*ranges);
	return -EFAULT;
}

static int publish(struct emu_vfio *vfio, struct emu_vfio_dmabuf *dmabuf, uint32_t flags)
{
	const int fd = emu_dmabuf_open(vfio->dev->emu, &dmabuf->dmabuf);

	if (fd < 0)
		return fd;
	if (!(flags & O_CLOEXEC))
		fcntl(fd, F_SETFD, 0);
	dmabuf->vfio = vfio;
	dmabuf->next = vfio->dmabufs;
	vfio->dmabufs = dmabuf;
	dmabuf->dmabuf.revoked = !emu_vfio_memory_enabled(vfio);
	return fd;
}

int emu_vfio_export(struct emu_vfio *vfio, const struct emu_task *task, uintptr_t arg)
{
	struct uapi_vfio_device_feature_dma_buf get;
	struct uapi_vfio_region_dma_range *ranges;
	struct emu_vfio_dmabuf *dmabuf;
	int result;

	if (emu_get(task, &get, arg, sizeof(get)))
		return -EFAULT;
	if (!get.nr_ranges || get.flags)
		return -EINVAL;
	if (get.region_index >= UAPI_VFIO_PCI_ROM_REGION_INDEX ||
	    !vfio->pci->bars[get.region_index].size ||
	    vfio->pci->bars[get.region_index].flags & EMU_BAR_IO)
		return -ENODEV;
	result = get_ranges(task, arg + sizeof(get), get.nr_ranges, &ranges);
	if (result)
		return result;
	dmabuf = emu_alloc(sizeof(*dmabuf));
	result = dmabuf ? find_place(vfio->pci, get.region_index, ranges, get.nr_ranges,
	                             &dmabuf->dmabuf)
	                : -ENOMEM;
	emu_release(ranges);
	if (!result) {
		dmabuf->dmabuf.free = free_dmabuf;
		result = publish(vfio, dmabuf, get.open_flags);
	}
	if (result < 0)
		emu_release(dmabuf);
	return result;
}

void emu_vfio_dmabufs_show(struct emu_vfio *vfio, bool again)
{
	const bool revoked = !emu_vfio_memory_enabled(vfio);

	for (struct emu_vfio_dmabuf *i = vfio->dmabufs; i; i = i->next) {
		if (again && !i->dmabuf.revoked)
			emu_dmabuf_revoke(&i->dmabuf, true);
		if (i->dmabuf.revoked != revoked)
			emu_dmabuf_revoke(&i->dmabuf, revoked);
	}
}

void emu_vfio_dmabufs_end(struct emu_vfio *vfio)
{
	while (vfio->dmabufs) {
		struct emu_vfio_dmabuf *const dmabuf = vfio->dmabufs;

		vfio->dmabufs = dmabuf->next;
		dmabuf->vfio = NULL;
		if (!dmabuf->dmabuf.revoked)
			emu_dmabuf_revoke(&dmabuf->dmabuf, true);
	}
}
