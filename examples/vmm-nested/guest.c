/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */
#include "guest.h"

#include <endian.h>

/* Of a stream table entry: two bits' worth of context descriptors, of which the first is for what
 * has no SSID. */
#define STE0_CDMAX (UINT64_C(2) << 59)
#define STE1_SSID0 UINT64_C(2)

/* Both stages, of which the second is not the guest's to choose. */
enum { BAD_STREAM = 7, OF_NOBODY = 0xbad };

static uint64_t context_of(const struct guest_driver *driver, uint32_t ssid)
{
	return driver->contexts + ssid * SMMU_CD_SIZE;
}

static uint16_t asid_of(uint32_t ssid)
{
	return (uint16_t)(ssid + 1);
}

/* Where the queue is full the SMMU works it off first. */
static void command(struct guest_driver *driver, uint64_t word0, uint64_t word1)
{
	const uint64_t words[2] = {word0, word1};

	while (!smmu_put(driver->memory, &driver->smmu->commands, words) && !driver->smmu->error)
		driver->doorbell(driver->vmm);
}

static uint64_t of_stream(const struct guest_driver *driver)
{
	return (uint64_t)driver->stream << 32;
}

bool guest_sync(struct guest_driver *driver)
{
	const struct smmu *const smmu = driver->smmu;

	command(driver, SMMU_SYNC, 0);
	driver->doorbell(driver->vmm);
	return !smmu->error && smmu->commands.prod == smmu->commands.cons;
}

bool guest_skip_error(struct guest_driver *driver)
{
	struct smmu *const smmu = driver->smmu;

	if (!smmu->error)
		return false;
	smmu->commands.cons++;
	smmu->error = false;
	return guest_sync(driver);
}

static bool set_stream(struct guest_driver *driver, enum smmuv3_stream stream)
{
	const uint64_t at = driver->smmu->stream_table + driver->stream * SMMU_STE_SIZE;
	uint64_t *const entry = guest_at(driver->memory, at);
	uint64_t words[2];

	smmuv3_stream_entry(stream, driver->contexts, words);
	if (stream == SMMUV3_TRANSLATE && driver->smmu->ssid_bits) {
		words[0] |= STE0_CDMAX;
		words[1] |= STE1_SSID0;
	}
	entry[1] = htole64(words[1]);
	entry[0] = htole64(words[0]);
	command(driver, SMMU_CFGI_STE | of_stream(driver), SMMU_LEAF);
	return guest_sync(driver);
}

bool guest_set_stream(struct guest_driver *driver, enum smmuv3_stream stream)
{
	return set_stream(driver, stream);
}

bool guest_set_bad_stream(struct guest_driver *driver)
{
	return set_stream(driver, (enum smmuv3_stream)BAD_STREAM);
}

bool guest_boot(struct guest_driver *driver)
{
	struct smmu *const smmu = driver->smmu;

	smmu->commands.base = guest_page(driver->memory);
	smmu->events.base = guest_page(driver->memory);
	smmu->requests.base = guest_page(driver->memory);
	smmu->stream_table = guest_page(driver->memory);
	driver->contexts = guest_page(driver->memory);
	return driver->contexts && set_stream(driver, SMMUV3_BYPASS);
}

static bool tell_of_context(struct guest_driver *driver, uint32_t ssid)
{
	command(driver, SMMU_CFGI_CD | (uint64_t)ssid << 12 | of_stream(driver), SMMU_LEAF);
	return guest_sync(driver);
}

bool guest_begin_space(struct guest_driver *driver, uint32_t ssid)
{
	driver->tables[ssid] = guest_page(driver->memory);
	if (!driver->tables[ssid])
		return false;
	smmuv3_set_context(driver->memory, context_of(driver, ssid), driver->tables[ssid],
	                   asid_of(ssid));
	return tell_of_context(driver, ssid);
}

bool guest_end_space(struct guest_driver *driver, uint32_t ssid)
{
	*(uint64_t *)guest_at(driver->memory, context_of(driver, ssid)) = 0;
	if (!tell_of_context(driver, ssid))
		return false;
	command(driver, SMMU_TLBI_NH_ASID | (uint64_t)asid_of(ssid) << 48, 0);
	return guest_sync(driver);
}

bool guest_map(struct guest_driver *driver, uint32_t ssid, uint64_t iova, uint64_t page,
               enum smmuv3_access access)
{
	return driver->tables[ssid] &&
	       smmuv3_map(driver->memory, driver->tables[ssid], iova, page, access);
}

void guest_drop(struct guest_driver *driver, uint32_t ssid, uint64_t iova)
{
	uint64_t word0 = SMMU_ATC_INV | of_stream(driver);

	command(driver, SMMU_TLBI_NH_VA | (uint64_t)asid_of(ssid) << 48, iova | SMMU_LEAF);
	if (ssid)
		word0 |= SMMU_SSV | (uint64_t)ssid << 12;
	if (driver->smmu->has_ats)
		command(driver, word0, iova);
}

void guest_drop_of_nobody(struct guest_driver *driver)
{
	const uint64_t opcode = driver->smmu->has_ats ? SMMU_ATC_INV : SMMU_CFGI_CD;

	command(driver, opcode | (uint64_t)OF_NOBODY << 32, 0);
}

bool guest_next_event(struct guest_driver *driver, uint64_t words[SMMU_MOST_WORDS])
{
	return smmu_get(driver->memory, &driver->smmu->events, words);
}

bool guest_next_request(struct guest_driver *driver, uint64_t words[SMMU_MOST_WORDS])
{
	return smmu_get(driver->memory, &driver->smmu->requests, words);
}

bool guest_answer(struct guest_driver *driver, const uint64_t *request, enum smmu_answer answer)
{
	uint64_t word0 = SMMU_PRI_RESP | (uint64_t)SMMU_REQUEST_STREAM(request[0]) << 32;

	if (request[0] & SMMU_REQUEST_HAS_SSID)
		word0 |= SMMU_SSV | (uint64_t)SMMU_REQUEST_SSID(request[0]) << 12;
	command(driver, word0, SMMU_GROUP(request[1]) | (uint64_t)answer << SMMU_ANSWER_SHIFT);
	return guest_sync(driver);
}
