/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A host's IOMMU that is no SMMUv3, for examples/vmm-nested: as a VT-d has it, with a nested page
 * table for each of the guest's address spaces, attached at the guest's SSID for a vPASID, and with
 * entries for those in the place of commands. It is the kernel's test driver, which has a vIOMMU
 * besides: the devices' own caches are dropped through that.
 */
#include <errno.h>
#include <stdlib.h>

#include "vmm-mock.h"

enum { SSID_BITS = 2, DEPTH = 64, COLLECTED = 512 };

#define CONTEXTS     (((UINT64_C(1) << 52) - 1) & ~UINT64_C(0x3f)) /* of a stream table entry */
#define CONFIG(word) ((enum smmuv3_stream)((word) >> 1 & 7))
#define CD_VALID     (UINT64_C(1) << 31)
#define CD_TABLE     (((UINT64_C(1) << 52) - 1) & SMMU_ADDRESS)

struct vmm_mock vmm_mock;

static struct mock_vtd vtd;
static uint64_t numbers;
static uint64_t contexts; /* the guest's table of them */
static struct libiommu_vtd_batch *batch;
static struct mock_viommu_entry entries[COLLECTED]; /* of the devices' caches */
static uint32_t orders[COLLECTED];                  /* the commands that they are of */
static size_t entry_count;
static uint32_t collected; /* commands */

const struct libiommu_sys *host_door(void)
{
	vmm_mock.mock = mock_new();
	/* There is nothing to do without it. */
	if (!vmm_mock.mock)
		exit(77);
	return mock_door(vmm_mock.mock);
}

int host_choose(struct vmm *vmm, struct host_choices *choices)
{
	vmm->smmu.ssid_bits = SSID_BITS;
	vmm->smmu.has_ats = true;
	vmm->smmu.has_pri = true;
	*choices = (struct host_choices){
		.parent_flags = LIBIOMMU_HWPT_NEST_PARENT | LIBIOMMU_HWPT_PASID,
		.viommu_type = MOCK_VIOMMU,
	};
	return 0;
}

int host_alloc_events(struct libiommu_viommu *viommu, struct libiommu_veventq **events)
{
	return libiommu_veventq_alloc_raw(viommu, MOCK_VEVENTQ, DEPTH, MOCK_EVENT_LENGTH, 0, 4,
	                                  events);
}

int host_begin(struct vmm *vmm)
{
	mock_be_vtd(vmm_mock.mock, &vtd);
	return libiommu_vtd_batch_new(vmm->ctx, &batch);
}

static int make_nested(struct vmm *vmm, uint64_t table, struct libiommu_hwpt **hwpt)
{
	struct libiommu_hwpt_config *config;
	int error = libiommu_hwpt_config_new(&config);

	if (error)
		return error;
	error = libiommu_hwpt_config_set_vtd_s1(config, table, 48, 0);
	if (!error)
		error = libiommu_hwpt_config_set_flags(config, LIBIOMMU_HWPT_PASID);
	if (!error)
		error = libiommu_hwpt_config_set_fault_queue(config, vmm->faults);
	if (!error)
		error = libiommu_hwpt_alloc_viommu(vmm->dev, vmm->viommu, config, hwpt);
	libiommu_hwpt_config_free(config);
	return error;
}

/* In the place of what is there, or where nothing is. Without an SSID something always is. */
static int attach(struct vmm *vmm, uint32_t ssid, struct libiommu_hwpt *hwpt)
{
	uint32_t pasid;

	if (!ssid)
		return vmm_mock.stream == VMM_MOCK_STOPPED
		               ? libiommu_device_attach_hwpt(vmm->dev, hwpt)
		               : libiommu_device_replace_hwpt(vmm->dev, hwpt);
	if (vmm_mock.spaces[ssid].hwpt)
		return libiommu_pasid_replace(vmm->dev, ssid, hwpt, ssid);
	return libiommu_pasid_attach(vmm->dev, ssid, hwpt, ssid, &pasid);
}

static int forget(struct vmm_mock_space *space)
{
	const int error = libiommu_hwpt_destroy(space->hwpt);

	if (!error)
		*space = (struct vmm_mock_space){0};
	return error;
}

static int begin_space(struct vmm *vmm, uint32_t ssid, struct vmm_mock_space made)
{
	struct vmm_mock_space *const space = &vmm_mock.spaces[ssid];
	int error = make_nested(vmm, made.table, &made.hwpt);

	if (error)
		return error;
	error = attach(vmm, ssid, made.hwpt);
	if (error) {
		libiommu_hwpt_destroy(made.hwpt);
		return error;
	}
	error = forget(space);
	made.number = ++numbers;
	*space = made;
	return error;
}

static int end_space(struct vmm *vmm, uint32_t ssid)
{
	const int error = vmm_mock.spaces[ssid].hwpt ? libiommu_pasid_detach(vmm->dev, ssid) : 0;

	return error ? error : forget(&vmm_mock.spaces[ssid]);
}

static int end_spaces(struct vmm *vmm)
{
	int error = 0;

	for (uint32_t ssid = 1; ssid < GUEST_SPACES && !error; ssid++)
		error = end_space(vmm, ssid);
	return error;
}

static int read_context(struct vmm *vmm, uint32_t ssid)
{
	struct vmm_mock_space space = {0};
	uint64_t words[2];

	if (ssid >= GUEST_SPACES ||
	    !smmu_read(&vmm->memory, contexts + ssid * SMMU_CD_SIZE, words, 2))
		return -EINVAL;
	if (!(words[0] & CD_VALID))
		return ssid ? end_space(vmm, ssid) : -EINVAL;
	space.table = words[1] & CD_TABLE;
	space.asid = SMMU_ASID(words[0]);
	return begin_space(vmm, ssid, space);
}

/* Nobody need be told of a context descriptor before the stream's entry leads to it. */
int host_set_context(struct vmm *vmm, uint32_t ssid)
{
	return vmm_mock.stream == VMM_MOCK_TRANSLATED ? read_context(vmm, ssid) : 0;
}

static int translate(struct vmm *vmm, uint64_t table)
{
	int error = end_spaces(vmm);

	contexts = table;
	if (!error)
		error = read_context(vmm, 0);
	if (error)
		return error;
	vmm_mock.stream = VMM_MOCK_TRANSLATED;
	for (uint32_t ssid = 1; ssid < GUEST_SPACES && !error; ssid++)
		error = read_context(vmm, ssid);
	return error;
}

static int let_through(struct vmm *vmm)
{
	int error = end_spaces(vmm);

	if (!error)
		error = attach(vmm, 0, vmm->parent);
	if (!error)
		vmm_mock.stream = VMM_MOCK_LET_THROUGH;
	return error ? error : forget(&vmm_mock.spaces[0]);
}

static int stop(struct vmm *vmm)
{
	int error = end_spaces(vmm);

	if (!error && vmm_mock.stream != VMM_MOCK_STOPPED)
		error = libiommu_device_detach(vmm->dev);
	if (!error)
		vmm_mock.stream = VMM_MOCK_STOPPED;
	return error ? error : forget(&vmm_mock.spaces[0]);
}

int host_set_stream(struct vmm *vmm, const uint64_t entry[2])
{
	switch (CONFIG(entry[0])) {
	case SMMUV3_ABORT:
		return stop(vmm);
	case SMMUV3_BYPASS:
		return let_through(vmm);
	case SMMUV3_TRANSLATE:
		return translate(vmm, entry[0] & CONTEXTS);
	default:
		return -EINVAL;
	}
}

int host_end(struct vmm *vmm)
{
	libiommu_vtd_batch_free(batch);
	return stop(vmm);
}

bool host_collects(enum smmu_opcode opcode)
{
	switch (opcode) {
	case SMMU_TLBI_NH_ALL:
	case SMMU_TLBI_NH_ASID:
	case SMMU_TLBI_NH_VA:
	case SMMU_TLBI_NH_VAA:
	case SMMU_TLBI_NSNH_ALL:
	case SMMU_ATC_INV:
		return true;
	default:
		return false;
	}
}

/* The address spaces that a command is about are those whose number it has, or all. */
static int collect_drop(struct vmm *vmm, const uint64_t command[2])
{
	const uint32_t opcode = SMMU_OPCODE(command[0]);
	const bool by_asid = opcode == SMMU_TLBI_NH_VA || opcode == SMMU_TLBI_NH_ASID;
	const bool page = opcode == SMMU_TLBI_NH_VA || opcode == SMMU_TLBI_NH_VAA;
	const uint32_t flags = page && command[1] & SMMU_LEAF ? LIBIOMMU_INVALIDATE_LEAF : 0;
	int error = 0;

	for (uint32_t ssid = 0; ssid < GUEST_SPACES && !error; ssid++) {
		const struct vmm_mock_space *const space = &vmm_mock.spaces[ssid];

		if (!space->hwpt || (by_asid && space->asid != SMMU_ASID(command[0])))
			continue;
		error = libiommu_vtd_batch_add(batch, vmm->dev, ssid,
		                               page ? command[1] & SMMU_ADDRESS : 0,
		                               page ? GUEST_PAGE : UINT64_MAX, flags, collected);
	}
	return error;
}

/* Of a device's four values the one that the page stands for; of several pages all. */
static void collect_device(const uint64_t command[2])
{
	const bool several = command[1] & 0x3f;

	orders[entry_count] = collected;
	entries[entry_count++] = (struct mock_viommu_entry){
		.flags = several ? MOCK_ALL : 0,
		.virt_id = SMMU_STREAM(command[0]),
		.index = several ? 0 : (uint32_t)(command[1] >> 12) % MOCK_CACHES,
	};
}

int host_collect(struct vmm *vmm, const uint64_t command[2])
{
	int error = 0;

	if (SMMU_OPCODE(command[0]) == SMMU_ATC_INV)
		collect_device(command);
	else
		error = collect_drop(vmm, command);
	collected += !error;
	return error;
}

/* Page tables first: a device may fill its cache again from what the IOMMU has. */
int host_flush(struct vmm *vmm, uint32_t *done)
{
	int error = libiommu_vtd_batch_submit(batch), failed;
	uint64_t end = collected;
	size_t count = 0, good;

	if (error)
		libiommu_vtd_batch_cookie(batch, 0, &end);
	libiommu_vtd_batch_clear(batch);
	while (count < entry_count && orders[count] < end)
		count++;
	failed = libiommu_viommu_invalidate(vmm->viommu, MOCK_INVALIDATE, entries,
	                                    sizeof(entries[0]), count, &good);
	if (failed)
		end = orders[good];
	*done = (uint32_t)end;
	entry_count = 0;
	collected = 0;
	return failed ? failed : error;
}

/* The driver's event says which device it is about, and no more. */
void host_event(const void *data, size_t length, uint32_t stream, uint64_t words[SMMU_MOST_WORDS])
{
	(void)data;
	(void)length;
	words[0] = SMMU_F_UUT | (uint64_t)stream << 32;
}
