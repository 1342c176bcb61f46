/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "backend.h"

#include "../base/uapi/vfio.h"

_Static_assert(sizeof(struct libiommu_iova_range) == sizeof(struct uapi_iova_range) &&
                       offsetof(struct libiommu_iova_range, last) ==
                               offsetof(struct uapi_iova_range, last),
               "the kernel fills the caller's array of ranges");

static int iommufd_ioas_alloc(const struct backend *backend, uint32_t *id, struct refusal *refusal)
{
	struct uapi_ioas_alloc cmd = {.size = sizeof(cmd)};
	const int error = backend_ioctl(backend, UAPI_IOC_IOAS_ALLOC, &cmd);

	if (error)
		return li_refuse_kernel(refusal, error, CALL_IOAS_ALLOC);
	*id = cmd.out_ioas_id;
	return 0;
}

static int iommufd_ioas_destroy(const struct backend *backend, uint32_t id, struct refusal *refusal)
{
	struct uapi_destroy cmd = {.size = sizeof(cmd), .id = id};
	const int error = backend_ioctl(backend, UAPI_IOC_DESTROY, &cmd);

	return error ? li_refuse_kernel(refusal, error, CALL_DESTROY) : 0;
}

static int iommufd_map(const struct backend *backend, uint32_t ioas, void *address, uint64_t length,
                       uint32_t flags, bool fixed, uint64_t *iova, struct refusal *refusal)
{
	struct uapi_ioas_map cmd = {
		.size = sizeof(cmd),
		.flags = backend_map_flags(flags, fixed),
		.ioas_id = ioas,
		.user_va = (uintptr_t)address,
		.length = length,
		.iova = *iova,
	};
	const int error = backend_ioctl(backend, UAPI_IOC_IOAS_MAP, &cmd);

	if (error)
		return li_refuse_kernel(refusal, error, CALL_MAP);
	*iova = cmd.iova;
	return 0;
}

static int iommufd_unmap(const struct backend *backend, uint32_t ioas, uint64_t iova,
                         uint64_t *length, struct refusal *refusal)
{
	struct uapi_ioas_unmap cmd = {
		.size = sizeof(cmd),
		.ioas_id = ioas,
		.iova = iova,
		.length = *length,
	};
	const int error = backend_ioctl(backend, UAPI_IOC_IOAS_UNMAP, &cmd);

	if (error)
		return li_refuse_kernel(refusal, error, CALL_UNMAP);
	*length = cmd.length;
	return 0;
}

static int iommufd_ranges(const struct backend *backend, uint32_t ioas,
                          struct libiommu_iova_range *ranges, uint32_t *count, uint64_t *alignment,
                          struct refusal *refusal)
{
	struct uapi_ioas_iova_ranges cmd = {
		.size = sizeof(cmd),
		.ioas_id = ioas,
		.num_iovas = *count,
		.allowed_iovas = (uintptr_t)ranges,
	};
	const int error = backend_ioctl(backend, UAPI_IOC_IOAS_IOVA_RANGES, &cmd);

	*count = cmd.num_iovas;
	*alignment = cmd.out_iova_alignment;
	return error ? li_refuse_kernel(refusal, error, CALL_RANGES) : 0;
}

static int iommufd_attach(const struct backend *backend, const struct backend_device *device,
                          uint32_t *pt_id, struct refusal *refusal)
{
	struct uapi_vfio_device_attach_iommufd_pt cmd = {.argsz = sizeof(cmd), .pt_id = *pt_id};
	const int error = li_sys_ioctl(backend->sys, device->fd,
	                               UAPI_IOC_VFIO_DEVICE_ATTACH_IOMMUFD_PT, &cmd);

	if (error)
		return li_refuse_kernel(refusal, error, CALL_ATTACH);
	*pt_id = cmd.pt_id;
	return 0;
}

static int iommufd_detach(const struct backend *backend, const struct backend_device *device,
                          struct refusal *refusal)
{
	struct uapi_vfio_device_detach_iommufd_pt cmd = {.argsz = sizeof(cmd)};
	const int error = li_sys_ioctl(backend->sys, device->fd,
	                               UAPI_IOC_VFIO_DEVICE_DETACH_IOMMUFD_PT, &cmd);

	return error ? li_refuse_kernel(refusal, error, CALL_DETACH) : 0;
}

const struct backend_ops li_backend_iommufd = {
	.ioas_alloc = iommufd_ioas_alloc,
	.ioas_destroy = iommufd_ioas_destroy,
	.map = iommufd_map,
	.unmap = iommufd_unmap,
	.ranges = iommufd_ranges,
	.attach = iommufd_attach,
	.detach = iommufd_detach,
};
