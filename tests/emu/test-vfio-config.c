/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Configuration space, as VFIO lets a program have it. */
#include "model-rig.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct model_rig rig;

enum { VENDOR_CAP = 0x09, UNKNOWN_CAP = 0x0c, UNKNOWN_EXT = 0x10 };

/* One of each that VFIO treats in a way of its own, and others that it hides. */
static void furnish(struct model *model)
{
	struct emu_pci *const pci = &model->pci;
	unsigned int at;

	emu_pci_add_pin(pci);
	emu_pci_add_bar(pci, 0, MODEL_SIZE, 0);
	emu_pci_add_bar(pci, 2, UINT64_C(1) << 33, EMU_BAR_64 | EMU_BAR_PREFETCH | EMU_BAR_MEMORY);
	emu_pci_add_bar(pci, 4, 64, EMU_BAR_IO);
	emu_pci_add_capability(pci, UNKNOWN_CAP, 4);
	emu_pci_add_pm(pci);
	emu_pci_set(pci, pci->pm + EMU_PM_CAPABILITIES, 2, 0xfe03);
	emu_pci_add_capability(pci, UNKNOWN_CAP, 8);
	emu_pci_add_msi(pci, 4);
	emu_pci_add_msix(pci, 3, 0, 0x1000, 0x1100);
	at = emu_pci_add_capability(pci, VENDOR_CAP, 8);
	emu_pci_set(pci, at + 2, 1, 8);
	emu_pci_allow(pci, at + 4, 4, UINT32_MAX);
	emu_pci_add_express(pci, true);
	emu_pci_add_extended(pci, EMU_EXT_ERRORS, 2, 0x2c);
	emu_pci_add_extended(pci, UNKNOWN_EXT, 1, 16);
	emu_pci_add_extended(pci, EMU_EXT_SERIAL, 1, 12);
}

static int setup(void **state)
{
	(void)state;
	return model_setup(&rig, furnish);
}

static int teardown(void **state)
{
	(void)state;
	model_teardown(&rig);
	return 0;
}

static unsigned int find(uint8_t id)
{
	unsigned int at = model_config(&rig, EMU_PCI_CAPABILITIES, 1);

	while (at && model_config(&rig, at, 1) != id)
		at = model_config(&rig, at + 1, 1);
	return at;
}

static void has_its_ids(void **state)
{
	(void)state;
	assert_int_equal(model_config(&rig, EMU_PCI_VENDOR, 4), 0x56781234);
	model_set_config(&rig, EMU_PCI_VENDOR, 4, 0);
	assert_int_equal(model_config(&rig, EMU_PCI_VENDOR, 2), 0x1234);
	assert_int_equal(model_config(&rig, EMU_PCI_DEVICE, 2), 0x5678);
	assert_int_equal(model_config(&rig, EMU_PCI_PIN, 1), 1);
	/* What software has for itself. */
	model_set_config(&rig, EMU_PCI_LINE, 2, 0xffab);
	assert_int_equal(model_config(&rig, EMU_PCI_LINE, 2), 0x01ab);
	assert_int_equal(emu_pci_get(&rig.model->pci, EMU_PCI_LINE, 1), 0);
}

/* Outside, and an access that goes outside, is refused whole. */
static void ends(void **state)
{
	uint8_t bytes[16];

	(void)state;
	assert_int_equal(model_pread(&rig, 7, 4088, bytes, 8), 8);
	assert_int_equal(model_pread(&rig, 7, 4088, bytes, 9), -EFAULT);
	assert_int_equal(model_pread(&rig, 7, 4096, bytes, 1), -EFAULT);
	assert_int_equal(model_pwrite(&rig, 7, 4095, bytes, 2), -EFAULT);
	assert_int_equal(model_pread(&rig, 7, 4095, bytes, 0), 0);
	assert_int_equal(model_pread(&rig, 7, 1, bytes, 7), 7);
	assert_int_equal(bytes[0], 0x12);
	assert_int_equal(bytes[1], 0x78);
	assert_int_equal(model_pread(&rig, 7, 0, NULL, 4), -EFAULT);
	assert_int_equal(model_pwrite(&rig, 7, 0, NULL, 4), -EFAULT);
	assert_int_equal(model_pread(&rig, 8, 0, bytes, 4), -EINVAL);
	assert_int_equal(model_pread(&rig, 9, 0, bytes, 4), -EINVAL);
	assert_int_equal(model_pread(&rig, 300, 0, bytes, 4), -EINVAL);
}

static void sizes_of_bars(void **state)
{
	(void)state;
	for (unsigned int at = EMU_PCI_BAR; at < EMU_PCI_BAR_END; at += 4)
		model_set_config(&rig, at, 4, UINT32_MAX);
	model_set_config(&rig, EMU_PCI_ROM, 4, UINT32_MAX);
	assert_int_equal(model_config(&rig, EMU_PCI_BAR, 4), ~(uint32_t)(MODEL_SIZE - 1));
	assert_int_equal(model_config(&rig, EMU_PCI_BAR + 4, 4), 0);
	assert_int_equal(model_config(&rig, EMU_PCI_BAR + 8, 4), 0xc);
	assert_int_equal(model_config(&rig, EMU_PCI_BAR + 12, 4), 0xfffffffe);
	assert_int_equal(model_config(&rig, EMU_PCI_BAR + 16, 4), 0xffffffc1);
	assert_int_equal(model_config(&rig, EMU_PCI_ROM, 4), 0);
	/* The device's own stay where the host has put them. */
	assert_int_equal(emu_pci_get(&rig.model->pci, EMU_PCI_BAR, 4),
	                 rig.model->pci.bars[0].address);
	model_set_config(&rig, EMU_PCI_BAR, 4, 0x12345678);
	assert_int_equal(model_config(&rig, EMU_PCI_BAR, 4), 0x12344000);
}

/* Two are not shown, wherever they stand. */
static void hides_what_it_does_not_know(void **state)
{
	static const uint8_t shown[] = {EMU_CAP_PM, EMU_CAP_MSI, EMU_CAP_MSIX, VENDOR_CAP,
	                                EMU_CAP_EXPRESS};
	unsigned int at, i;

	(void)state;
	at = model_config(&rig, EMU_PCI_CAPABILITIES, 1);
	for (i = 0; i < sizeof(shown); i++) {
		assert_int_equal(model_config(&rig, at, 1), shown[i]);
		at = model_config(&rig, at, 2) >> 8;
	}
	assert_int_equal(at, 0);
	at = 0x100;
	assert_int_equal(model_config(&rig, at, 2), EMU_EXT_ERRORS);
	at = model_config(&rig, at, 4) >> 20;
	assert_int_equal(model_config(&rig, at, 4), EMU_EXT_SERIAL | 1U << 16);
	assert_int_equal(find(UNKNOWN_CAP), 0);
}

static void command_register(void **state)
{
	struct emu_pci *const pci = &rig.model->pci;
	uint32_t value;

	(void)state;
	/* Found enabled, and with no right to the bus. */
	assert_int_equal(model_config(&rig, EMU_PCI_COMMAND, 2),
	                 EMU_PCI_COMMAND_MEMORY | EMU_PCI_COMMAND_IO);
	model_set_config(&rig, EMU_PCI_COMMAND, 2, EMU_PCI_COMMAND_MEMORY | EMU_PCI_COMMAND_MASTER);
	assert_int_equal(emu_pci_get(pci, EMU_PCI_COMMAND, 2),
	                 EMU_PCI_COMMAND_MEMORY | EMU_PCI_COMMAND_MASTER);
	model_set_config(&rig, EMU_PCI_COMMAND, 2, EMU_PCI_COMMAND_MASTER);
	assert_int_equal(model_pread(&rig, 0, 0, &value, 4), -EIO);
	assert_int_equal(model_pwrite(&rig, 0, 0, &value, 4), -EIO);
	/* Ports are not checked: nothing answers. */
	assert_int_equal(model_pread(&rig, 4, 0, &value, 4), 4);
	assert_int_equal(value, UINT32_MAX);
	model_set_config(&rig, EMU_PCI_COMMAND, 1, 7);
	assert_int_equal(model_pread(&rig, 0, 0, &value, 4), 4);
	/* The pin's switch is VFIO's own. */
	model_set_config(&rig, EMU_PCI_COMMAND, 2, 7 | EMU_PCI_COMMAND_NO_INTX);
	assert_int_equal(model_config(&rig, EMU_PCI_COMMAND, 2), 7 | EMU_PCI_COMMAND_NO_INTX);
	/* Status is not written. */
	model_set_config(&rig, EMU_PCI_STATUS, 2, 0xffff);
	assert_int_equal(model_config(&rig, EMU_PCI_STATUS, 2), EMU_PCI_STATUS_CAPABILITIES);
}

static void power(void **state)
{
	unsigned int pm;
	uint32_t value;

	(void)state;
	pm = find(EMU_CAP_PM);
	assert_int_equal(pm, rig.model->pci.pm);
	/* Of events a program hears nothing. */
	assert_int_equal(model_config(&rig, pm + EMU_PM_CAPABILITIES, 2), 0x0603);
	model_set_config(&rig, pm + EMU_PM_CONTROL, 2, EMU_PM_PME_ENABLE | 3);
	assert_int_equal(model_config(&rig, pm + EMU_PM_CONTROL, 2), EMU_PM_NO_SOFT_RESET | 3);
	assert_int_equal(model_pread(&rig, 0, 0, &value, 4), -EIO);
	model_set_config(&rig, pm + EMU_PM_CONTROL, 2, 1);
	assert_int_equal(model_config(&rig, pm + EMU_PM_CONTROL, 2), EMU_PM_NO_SOFT_RESET | 3);
	model_set_config(&rig, pm + EMU_PM_CONTROL, 2, 0);
	assert_int_equal(model_pread(&rig, 0, 0, &value, 4), 4);
}

static void messages(void **state)
{
	unsigned int msi, msix;

	(void)state;
	msi = find(EMU_CAP_MSI);
	msix = find(EMU_CAP_MSIX);
	/* Written for itself: VFIO enables them by another way. */
	model_set_config(&rig, msi + EMU_MSI_CONTROL, 2, EMU_MSI_ENABLE | 2 << 4);
	assert_int_equal(model_config(&rig, msi + EMU_MSI_CONTROL, 1), 0);
	assert_int_equal(emu_pci_get(&rig.model->pci, msi + EMU_MSI_CONTROL, 2),
	                 EMU_MSI_64 | 2 << 1);
	model_set_config(&rig, msi + EMU_MSI_ADDRESS, 4, 0xfee00000);
	assert_int_equal(model_config(&rig, msi + EMU_MSI_ADDRESS, 4), 0xfee00000);
	assert_int_equal(emu_pci_get(&rig.model->pci, msi + EMU_MSI_ADDRESS, 4), 0);
	model_set_config(&rig, msix + EMU_MSIX_CONTROL, 2, EMU_MSIX_ENABLE);
	assert_int_equal(model_config(&rig, msix + EMU_MSIX_CONTROL, 2), 2);
}

static void vendors_own(void **state)
{
	const unsigned int free_at = 0xf0;
	unsigned int at;

	(void)state;
	at = find(VENDOR_CAP);
	model_set_config(&rig, at + 4, 4, 0xdeadbeef);
	assert_int_equal(emu_pci_get(&rig.model->pci, at + 4, 4), 0xdeadbeef);
	/* Where there is no capability the device may have something all the same. */
	emu_pci_allow(&rig.model->pci, free_at, 4, 0x00ff00ff);
	model_set_config(&rig, free_at, 4, UINT32_MAX);
	assert_int_equal(model_config(&rig, free_at, 4), 0x00ff00ff);
}

static void function_level_reset(void **state)
{
	unsigned int at, before;

	(void)state;
	at = find(EMU_CAP_EXPRESS) + EMU_EXP_DEVICE_CONTROL;
	before = rig.model->resets;
	model_set_config(&rig, at, 2, EMU_EXP_PAYLOAD | EMU_EXP_PHANTOM);
	assert_int_equal(rig.model->resets, before);
	assert_int_equal(model_config(&rig, at, 2), EMU_EXP_PAYLOAD);
	model_set_config(&rig, at, 2, EMU_EXP_START_FLR);
	assert_int_equal(rig.model->resets, before + 1);
	assert_int_equal(model_config(&rig, at, 2), 0);
}

static void errors(void **state)
{
	(void)state;
	emu_pci_allow(&rig.model->pci, 0x108, 4, UINT32_MAX);
	model_set_config(&rig, 0x108, 4, UINT32_MAX);
	assert_int_equal(model_config(&rig, 0x108, 4), 0x03fff031);
	model_set_config(&rig, 0x100, 4, 0);
	assert_int_equal(model_config(&rig, 0x100, 2), EMU_EXT_ERRORS);
}

/* As it was found: who comes next finds nothing of who was there before. */
static void is_given_back(void **state)
{
	struct emu_pci *const pci = &rig.model->pci;

	(void)state;
	model_set_config(&rig, EMU_PCI_COMMAND, 2, 7);
	model_set_config(&rig, find(VENDOR_CAP) + 4, 4, 0x1234);
	libiommu_emu_close(rig.emu, rig.fd);
	rig.fd = -1;
	assert_int_equal(emu_pci_get(pci, EMU_PCI_COMMAND, 2),
	                 EMU_PCI_COMMAND_MEMORY | EMU_PCI_COMMAND_IO);
	assert_int_equal(emu_pci_get(pci, pci->last, 4) & 0xff, EMU_CAP_EXPRESS);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(has_its_ids),
		CASE(ends),
		CASE(sizes_of_bars),
		CASE(hides_what_it_does_not_know),
		CASE(command_register),
		CASE(power),
		CASE(messages),
		CASE(vendors_own),
		CASE(function_level_reset),
		CASE(errors),
		CASE(is_given_back),
	};

	return cmocka_run_group_tests_name("vfio-config", tests, NULL, NULL);
}
