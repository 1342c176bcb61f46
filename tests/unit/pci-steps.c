/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "pci-steps.h"

#include <string.h>

struct libiommu_ctx *pci_ctx;
struct libiommu_device *pci_dev;

const int pci_errors[] = {
	-EPERM, -EIO,    -ENXIO,     -EAGAIN, -ENOMEM, -EFAULT,
	-EBUSY, -ENODEV, -EOVERFLOW, -ENOTTY, -EINTR,  -EOPNOTSUPP,
};
const size_t pci_error_count = sizeof(pci_errors) / sizeof(pci_errors[0]);

int pci_setup(void **state)
{
	script_setup(state);
	pci_ctx = script_ctx();
	pci_dev = script_device(pci_ctx);
	return 0;
}

int pci_teardown(void **state)
{
	script_device_close(pci_dev);
	script_ctx_close(pci_ctx);
	return script_teardown(state);
}

void expect_is_pci(void)
{
	EXPECT_IOCTL(
		DEVICE_FD, VFIO_DEVICE_GET_INFO,
		IN(struct uapi_vfio_device_info, .argsz = sizeof(struct uapi_vfio_device_info)),
		SET(struct uapi_vfio_device_info, flags,
	            UAPI_VFIO_DEVICE_FLAGS_PCI | UAPI_VFIO_DEVICE_FLAGS_RESET));
}

void expect_describe(uint32_t index, uint32_t flags, uint64_t size, uint32_t argsz)
{
	EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_GET_REGION_INFO,
	             IN(struct uapi_vfio_region_info, .argsz = sizeof(struct uapi_vfio_region_info),
	                .index = index),
	             OUT(struct uapi_vfio_region_info, .argsz = argsz, .flags = flags,
	                 .index = index, .size = size, .offset = AT(index, 0)));
}

void expect_find(uint32_t index, uint32_t flags, uint64_t size)
{
	expect_is_pci();
	expect_describe(index, flags, size, sizeof(struct uapi_vfio_region_info));
}

void expect_read(uint32_t index, uint64_t offset, const void *bytes, size_t length)
{
	EXPECT(PREAD, .fd = DEVICE_FD, .offset = AT(index, offset), .length = length,
	       OUT_BYTES(bytes, length), .result = (ssize_t)length);
}

void expect_read_fails(uint32_t index, uint64_t offset, size_t length, ssize_t result)
{
	EXPECT(PREAD, .fd = DEVICE_FD, .offset = AT(index, offset), .length = length,
	       .result = result);
}

void expect_write(uint32_t index, uint64_t offset, const void *bytes, size_t length, ssize_t result)
{
	EXPECT(PWRITE, .fd = DEVICE_FD, .offset = AT(index, offset), IN_BYTES(bytes, length),
	       .result = result);
}

void assert_needs_device(const struct pci_call *calls, size_t count)
{
	enum { FRESH_FD = 150, GROUP_FD, GROUPED_FD };
	struct libiommu_device *const fresh = script_device_open(pci_ctx, FRESH_FD);
	struct libiommu_device *const grouped =
		script_device_grouped(pci_ctx, GROUP_FD, GROUPED_FD);

	for (size_t i = 0; i < count; i++) {
		assert_int_equal(calls[i].call(NULL), -EINVAL);
		assert_failure(-EINVAL, LIBRARY, calls[i].name);
		assert_int_equal(calls[i].call(fresh), -EINVAL);
		assert_failure(-EINVAL, LIBRARY, calls[i].name);
		assert_explained("not bound");
		if (calls[i].node) {
			assert_int_equal(calls[i].call(grouped), -EOPNOTSUPP);
			assert_failure(-EOPNOTSUPP, LIBRARY, calls[i].name);
		}
	}
	assert_int_equal(libiommu_device_revoke(pci_dev), 0);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(calls[i].call(pci_dev), -ENODEV);
		assert_failure(-ENODEV, LIBRARY, calls[i].name);
		assert_explained("revoked");
	}
	script_device_close(grouped);
	script_device_close(fresh);
}
