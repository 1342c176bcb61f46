/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "script-dump.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
	unsigned long request;
	const char *name;
} requests[] = {
#define REQUEST(name)                                                                              \
	{                                                                                          \
		UAPI_IOC_##name, #name                                                             \
	}
	REQUEST(DESTROY),
	REQUEST(IOAS_ALLOC),
	REQUEST(IOAS_ALLOW_IOVAS),
	REQUEST(IOAS_COPY),
	REQUEST(IOAS_IOVA_RANGES),
	REQUEST(IOAS_MAP),
	REQUEST(IOAS_UNMAP),
	REQUEST(OPTION),
	REQUEST(VFIO_IOAS),
	REQUEST(HWPT_ALLOC),
	REQUEST(GET_HW_INFO),
	REQUEST(HWPT_SET_DIRTY_TRACKING),
	REQUEST(HWPT_GET_DIRTY_BITMAP),
	REQUEST(HWPT_INVALIDATE),
	REQUEST(FAULT_QUEUE_ALLOC),
	REQUEST(IOAS_MAP_FILE),
	REQUEST(VIOMMU_ALLOC),
	REQUEST(VDEVICE_ALLOC),
	REQUEST(IOAS_CHANGE_PROCESS),
	REQUEST(VEVENTQ_ALLOC),
	REQUEST(HW_QUEUE_ALLOC),
	REQUEST(IOAS_NOIOMMU_GET_PA),
	REQUEST(VFIO_GROUP_GET_STATUS),
	REQUEST(VFIO_GROUP_SET_CONTAINER),
	REQUEST(VFIO_GROUP_UNSET_CONTAINER),
	REQUEST(VFIO_GROUP_GET_DEVICE_FD),
	REQUEST(VFIO_DEVICE_GET_INFO),
	REQUEST(VFIO_DEVICE_GET_REGION_INFO),
	REQUEST(VFIO_DEVICE_GET_IRQ_INFO),
	REQUEST(VFIO_DEVICE_SET_IRQS),
	REQUEST(VFIO_DEVICE_RESET),
	REQUEST(VFIO_DEVICE_GET_PCI_HOT_RESET_INFO),
	REQUEST(VFIO_DEVICE_PCI_HOT_RESET),
	REQUEST(VFIO_DEVICE_FEATURE),
	REQUEST(VFIO_DEVICE_BIND_IOMMUFD),
	REQUEST(VFIO_DEVICE_ATTACH_IOMMUFD_PT),
	REQUEST(VFIO_DEVICE_DETACH_IOMMUFD_PT),
#undef REQUEST
};

const char *dump_request_name(unsigned long request)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (requests[i].request == request)
			return requests[i].name;
	return "of an unknown number";
}

bool dump_same(const struct step *step, const struct step *call)
{
	if (step->op != call->op)
		return false;
	switch (step->op) {
	case STEP_OPEN:
		return !strcmp(step->path, call->path) && step->flags == call->flags;
	case STEP_READLINK:
	case STEP_LIST:
		return !strcmp(step->path, call->path);
	case STEP_CLOSE:
	case STEP_DUP:
	case STEP_READ:
	case STEP_WRITE:
	case STEP_GETFL:
		return step->fd == call->fd;
	case STEP_IOCTL:
		return step->fd == call->fd && step->request == call->request;
	case STEP_PREAD:
		return step->fd == call->fd && step->offset == call->offset &&
		       step->length == call->length;
	case STEP_PWRITE:
		return step->fd == call->fd && step->offset == call->offset;
	case STEP_MMAP:
		return step->fd == call->fd && step->offset == call->offset &&
		       step->length == call->length && step->prot == call->prot &&
		       step->flags == call->flags && step->hint == call->hint;
	case STEP_SEAL:
		return step->fd == call->fd && step->flags == call->flags;
	case STEP_POLL:
		return step->fd == call->fd && step->flags == call->flags &&
		       step->prot == call->prot;
	case STEP_MUNMAP:
		return step->address == call->address && step->length == call->length;
	}
	return false;
}

void dump_step(const struct step *step, char text[DUMP_MAX])
{
	switch (step->op) {
	case STEP_OPEN:
		snprintf(text, DUMP_MAX, "open(\"%s\", %#x)", step->path, (unsigned)step->flags);
		return;
	case STEP_READLINK:
		snprintf(text, DUMP_MAX, "readlink(\"%s\")", step->path);
		return;
	case STEP_LIST:
		snprintf(text, DUMP_MAX, "list(\"%s\")", step->path);
		return;
	case STEP_CLOSE:
		snprintf(text, DUMP_MAX, "close(%d)", step->fd);
		return;
	case STEP_DUP:
		snprintf(text, DUMP_MAX, "dup(%d)", step->fd);
		return;
	case STEP_READ:
		snprintf(text, DUMP_MAX, "read(%d)", step->fd);
		return;
	case STEP_WRITE:
		snprintf(text, DUMP_MAX, "write(%d, %zu bytes)", step->fd, step->in_size);
		return;
	case STEP_GETFL:
		snprintf(text, DUMP_MAX, "getfl(%d)", step->fd);
		return;
	case STEP_SEAL:
		snprintf(text, DUMP_MAX, "seal(%d, %#x)", step->fd, (unsigned)step->flags);
		return;
	case STEP_POLL:
		snprintf(text, DUMP_MAX, "poll(%d, %#x, %d ms)", step->fd, (unsigned)step->flags,
		         step->prot);
		return;
	case STEP_IOCTL:
		snprintf(text, DUMP_MAX, "ioctl(%d, %s)", step->fd, step->name);
		return;
	case STEP_PREAD:
		snprintf(text, DUMP_MAX, "pread(%d, %zu bytes at %#" PRIx64 ")", step->fd,
		         step->length, step->offset);
		return;
	case STEP_PWRITE:
		snprintf(text, DUMP_MAX, "pwrite(%d, %zu bytes at %#" PRIx64 ")", step->fd,
		         step->in_size, step->offset);
		return;
	case STEP_MMAP:
		snprintf(text, DUMP_MAX,
		         "mmap(%p, %zu bytes, prot %#x, flags %#x, fd %d, offset %#" PRIx64 ")",
		         step->hint, step->length, (unsigned)step->prot, (unsigned)step->flags,
		         step->fd, step->offset);
		return;
	case STEP_MUNMAP:
		snprintf(text, DUMP_MAX, "munmap(%p, %zu bytes)", step->address, step->length);
		return;
	}
}

static void print_bytes(const char *title, const unsigned char *bytes, size_t size)
{
	char text[3 * 16 + 1];

	for (size_t i = 0; i < size; i += 16) {
		size_t used = 0;

		for (size_t j = i; j < size && j < i + 16; j++)
			used += (size_t)snprintf(text + used, sizeof(text) - used, " %02x",
			                         bytes[j]);
		print_error("  %s %04zx:%s\n", title, i, text);
	}
}

void dump_compare(const struct step *step, const void *arg)
{
	const unsigned char *const want = step->in;
	const unsigned char *const got = arg;
	const unsigned char *const ignore = step->ignore;
	char text[DUMP_MAX];

	if (!want)
		return;
	for (size_t i = 0; got && i < step->in_size; i++) {
		if (!((want[i] ^ got[i]) & ~ignore[i]))
			continue;
		dump_step(step, text);
		print_error("%s: byte %zu of the argument differs\n", text, i);
		print_bytes("expected", want, step->in_size);
		print_bytes("got     ", got, step->in_size);
		_fail(step->file, step->line);
	}
	if (!got)
		fail_msg("the argument is NULL");
}
