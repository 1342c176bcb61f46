/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What each test with the test driver's devices begins with. */
#include "mock.h"

#include <errno.h>
#include <sys/ioctl.h>

#include "../../lib/base/uapi/iommufd.h"
#include "../must.h"

struct libiommu_ctx *mock_ctx(struct mock *mock)
{
	struct libiommu_ctx_config *config;
	struct libiommu_ctx *ctx;

	MUST(libiommu_ctx_config_new(&config));
	MUST(libiommu_ctx_config_set_sys(config, mock_door(mock)));
	MUST(libiommu_ctx_new(config, &ctx));
	libiommu_ctx_config_free(config);
	return ctx;
}

struct libiommu_device *mock_device(struct mock *mock, struct libiommu_ctx *ctx, uint64_t label,
                                    bool pasids)
{
	struct libiommu_device *dev;

	(void)mock;
	MUST(libiommu_device_open_node(ctx, pasids ? "mock-pasids" : "mock", &dev));
	MUST(libiommu_device_bind(dev, label, NULL, 0));
	return dev;
}

struct libiommu_hwpt *mock_hwpt_with(struct libiommu_device *dev, struct libiommu_ioas *ioas,
                                     uint32_t flags, struct libiommu_fault_queue *queue)
{
	struct libiommu_hwpt_config *config;
	struct libiommu_hwpt *hwpt;

	MUST(libiommu_hwpt_config_new(&config));
	MUST(libiommu_hwpt_config_set_flags(config, flags));
	MUST(libiommu_hwpt_config_set_fault_queue(config, queue));
	MUST(libiommu_hwpt_alloc(dev, ioas, config, &hwpt));
	libiommu_hwpt_config_free(config);
	return hwpt;
}

struct libiommu_hwpt *mock_hwpt(struct libiommu_device *dev, struct libiommu_ioas *ioas,
                                struct libiommu_fault_queue *queue)
{
	return mock_hwpt_with(dev, ioas, LIBIOMMU_HWPT_PASID, queue);
}

int mock_few_pasids(void *user, int fd, unsigned long request, void *arg)
{
	const unsigned int bits = *(const unsigned int *)user;
	struct uapi_hw_info *const info = arg;
	const int result = ioctl(fd, request, arg);

	if (result < 0)
		return -errno;
	if (request == UAPI_IOC_GET_HW_INFO && info->out_max_pasid_log2 > bits)
		info->out_max_pasid_log2 = (uint8_t)bits;
	return result;
}
