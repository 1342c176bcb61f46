/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A virtual function is for those who know the token that the physical function's owner has set. */
#include "vm.h"

#include <string.h>

static const uint8_t token[16] = "libiommu's token";
static const uint8_t wrong[16] = "somebody else's.";

struct sriov {
	struct libiommu_ctx *ctx;
	struct libiommu_device *physical;
	char pf[16];
	char vf[16];
	bool enabled;
};

static int set_functions(const struct sriov *sriov, const char *count)
{
	char path[80];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/sriov_numvfs", sriov->pf);
	return vm_write_file(path, count);
}

static void set_token(struct libiommu_device *dev)
{
	uint8_t copy[sizeof(token)];

	memcpy(copy, token, sizeof(copy));
	assert_int_equal(libiommu_device_feature_probe(dev, LIBIOMMU_DEVICE_FEATURE_PCI_VF_TOKEN,
	                                               LIBIOMMU_DEVICE_FEATURE_SET),
	                 1);
	assert_int_equal(libiommu_device_feature_probe(dev, LIBIOMMU_DEVICE_FEATURE_PCI_VF_TOKEN,
	                                               LIBIOMMU_DEVICE_FEATURE_GET),
	                 0);
	OK(libiommu_device_feature_set(dev, LIBIOMMU_DEVICE_FEATURE_PCI_VF_TOKEN, copy,
	                               sizeof(copy)));
}

static int setup(void **state)
{
	static struct sriov sriov;

	memset(&sriov, 0, sizeof(sriov));
	*state = &sriov;
	/* The first drive is the machine's own, the second the one with virtual functions. */
	if (!vm_find(0x1b36, 0x0010, 1, sriov.pf, sizeof(sriov.pf)))
		return -1;
	OK(libiommu_ctx_new(NULL, &sriov.ctx));
	OK(libiommu_device_open_pci(sriov.ctx, sriov.pf, &sriov.physical));
	OK(libiommu_device_bind(sriov.physical, 1, NULL, 0));
	set_token(sriov.physical);
	assert_int_equal(set_functions(&sriov, "1"), 0);
	sriov.enabled = true;
	assert_true(vm_find(0x1b36, 0x0010, 2, sriov.vf, sizeof(sriov.vf)));
	return 0;
}

static int teardown(void **state)
{
	struct sriov *const sriov = *state;

	if (sriov->enabled)
		assert_int_equal(set_functions(sriov, "0"), 0);
	OK(libiommu_device_destroy(sriov->physical));
	OK(libiommu_ctx_destroy(sriov->ctx));
	return 0;
}

/* By its node the token counts since 6.17; before, the kernel knows no token at a bind. */
static void test_bind(void **state)
{
	struct sriov *const sriov = *state;
	struct libiommu_device *dev;
	struct libiommu_ioas *ioas;

	OK(libiommu_device_open_pci(sriov->ctx, sriov->vf, &dev));
	if (vm_kernel_at_least(6, 18)) {
		FAILS(EACCES, libiommu_device_bind(dev, 2, NULL, 0));
		EXPLAINED("token");
		FAILS(EACCES, libiommu_device_bind(dev, 2, wrong, 0));
		OK(libiommu_device_bind(dev, 2, token, 0));
		OK(libiommu_ioas_alloc(sriov->ctx, &ioas));
		OK(libiommu_device_attach_ioas(dev, ioas));
		OK(libiommu_device_detach(dev));
		OK(libiommu_ioas_destroy(ioas));
	} else {
		FAILS(EINVAL, libiommu_device_bind(dev, 2, token, 0));
		EXPLAINED("token");
	}
	OK(libiommu_device_destroy(dev));
}

/* By its group the token has always counted. */
static void test_group(void **state)
{
	struct sriov *const sriov = *state;
	struct libiommu_device *dev;
	struct libiommu_ctx *ctx;
	uint32_t ids;
	char group[64];

	vm_group_of(sriov->vf, group, sizeof(group));
	OK(libiommu_ctx_new(NULL, &ctx));
	FAILS(EACCES, libiommu_device_open_group(ctx, group, sriov->vf, NULL, &dev));
	EXPLAINED("token");
	FAILS(EACCES, libiommu_device_open_group(ctx, group, sriov->vf, wrong, &dev));
	OK(libiommu_device_open_group(ctx, group, sriov->vf, token, &dev));
	OK(libiommu_pci_config_read(dev, 0, &ids, sizeof(ids)));
	OK(libiommu_device_destroy(dev));
	OK(libiommu_ctx_destroy(ctx));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bind, setup, teardown),
		cmocka_unit_test_setup_teardown(test_group, setup, teardown),
	};

	return cmocka_run_group_tests_name("sriov", tests, NULL, NULL);
}
