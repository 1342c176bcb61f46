/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */
#include "story.h"

#include <stdio.h>
#include <string.h>

#include "device.h"

/* Addresses of the device's: the test driver can tell four pages of them apart. */
enum { ONE = 1 * GUEST_PAGE, TWO = 2 * GUEST_PAGE, THREE = 3 * GUEST_PAGE };

/* It takes no longer than the host is busy. */
enum { A_MINUTE = 60000 };

bool story_step(struct story *story, bool good, const char *text)
{
	printf("%s: %s\n", good ? "ok" : "WRONG", text);
	story->wrong += !good;
	return good;
}

static void clear(const struct story *story)
{
	for (size_t i = 0; i < sizeof(story->pages) / sizeof(story->pages[0]); i++)
		memset(guest_at(story->driver.memory, story->pages[i]), 0, GUEST_PAGE);
}

static bool has_pattern(const struct story *story, uint64_t page)
{
	return !memcmp(guest_at(story->driver.memory, page),
	               guest_at(story->driver.memory, story->pattern), GUEST_PAGE);
}

/* The device writes, and this page has it and no other; 0 is none at all. */
static bool arrives(struct story *story, uint32_t ssid, uint64_t iova, uint64_t page)
{
	clear(story);
	if (!device_write(&story->vmm, ssid, iova))
		return false;
	for (size_t i = 0; i < sizeof(story->pages) / sizeof(story->pages[0]); i++)
		if (has_pattern(story, story->pages[i]) != (story->pages[i] == page))
			return false;
	return true;
}

void story_boot(struct story *story)
{
	struct guest *const memory = story->driver.memory;
	uint8_t *bytes;

	story_step(story, guest_boot(&story->driver),
	           "the guest boots, and lets its device through");
	story->pattern = guest_page(memory);
	for (size_t i = 0; i < sizeof(story->pages) / sizeof(story->pages[0]); i++)
		story->pages[i] = guest_page(memory);
	bytes = guest_at(memory, story->pattern);
	for (size_t i = 0; i < GUEST_PAGE; i++)
		bytes[i] = (uint8_t)(i * 7 + 1);
	story_step(story, device_begin(&story->vmm, story->pattern),
	           "the device reads a page at the guest's own address of it");
}

void story_streams(struct story *story)
{
	struct guest_driver *const driver = &story->driver;

	story_step(story, arrives(story, 0, story->pages[0], story->pages[0]),
	           "let through, the device writes at the guest's addresses");
	story_step(story,
	           guest_set_stream(driver, SMMUV3_ABORT) && arrives(story, 0, story->pages[0], 0),
	           "stopped, it reaches nothing");
	story_step(story,
	           guest_begin_space(driver, 0) &&
	                   guest_map(driver, 0, ONE, story->pages[1], SMMUV3_READ_WRITE) &&
	                   guest_set_stream(driver, SMMUV3_TRANSLATE),
	           "the guest has a page table for its device");
	story_step(story, arrives(story, 0, ONE, story->pages[1]),
	           "it goes through the guest's page table, and the host's");
	story_step(story,
	           guest_set_stream(driver, SMMUV3_BYPASS) &&
	                   arrives(story, 0, story->pages[2], story->pages[2]) &&
	                   guest_set_stream(driver, SMMUV3_TRANSLATE) &&
	                   arrives(story, 0, ONE, story->pages[1]),
	           "let through once more, and translated again");
}

void story_invalidation(struct story *story)
{
	struct guest_driver *const driver = &story->driver;
	const uint64_t flushes = story->vmm.flushes;

	story_step(story,
	           guest_map(driver, 0, ONE, story->pages[2], SMMUV3_READ_WRITE) &&
	                   arrives(story, 0, ONE, story->pages[1]),
	           "what the guest maps anew goes the old way");
	for (int i = 0; i < 100; i++)
		guest_drop(driver, 0, i % 2 ? ONE : TWO);
	story_step(story, arrives(story, 0, ONE, story->pages[1]),
	           "also when it has written commands and has not told of them");
	story_step(story, guest_sync(driver) && arrives(story, 0, ONE, story->pages[2]),
	           "and after its synchronization the new one");
	story_step(story, story->vmm.flushes == flushes + 1,
	           "all those commands went to the host's IOMMU together");
}

void story_refusals(struct story *story)
{
	struct guest_driver *const driver = &story->driver;
	uint64_t event[SMMU_MOST_WORDS] = {0};
	uint32_t wrong;

	guest_map(driver, 0, ONE, story->pages[0], SMMUV3_READ_WRITE);
	guest_drop(driver, 0, TWO);
	wrong = story->vmm.smmu.commands.prod;
	guest_drop_of_nobody(driver);
	guest_drop(driver, 0, ONE);
	story_step(story, !guest_sync(driver) && story->vmm.smmu.commands.cons == wrong,
	           "a command for another's device is refused, and the queue stops there");
	story_step(story, guest_skip_error(driver) && arrives(story, 0, ONE, story->pages[0]),
	           "the guest skips it, and what stood behind it is done");
	story_step(story,
	           guest_set_bad_stream(driver) && guest_next_event(driver, event) &&
	                   SMMU_OPCODE(event[0]) == SMMU_C_BAD_STE &&
	                   SMMU_STREAM(event[0]) == VMM_STREAM && arrives(story, 0, ONE, 0),
	           "a stream table entry that a guest may not have stops the device, by an event");
	story_step(story,
	           guest_set_stream(driver, SMMUV3_TRANSLATE) &&
	                   arrives(story, 0, ONE, story->pages[0]),
	           "a good one in its place goes on");
}

void story_pasids(struct story *story)
{
	struct guest_driver *const driver = &story->driver;

	if (!story->vmm.smmu.ssid_bits) {
		printf("skipped: no PASIDs here\n");
		return;
	}
	story_step(story,
	           guest_begin_space(driver, 1) && guest_begin_space(driver, 2) &&
	                   guest_map(driver, 1, ONE, story->pages[1], SMMUV3_READ_WRITE) &&
	                   guest_map(driver, 2, ONE, story->pages[2], SMMUV3_READ_WRITE),
	           "the guest has page tables for two SSIDs");
	story_step(story,
	           arrives(story, 1, ONE, story->pages[1]) &&
	                   arrives(story, 2, ONE, story->pages[2]) &&
	                   arrives(story, 0, ONE, story->pages[0]),
	           "one address leads to three pages");
	guest_map(driver, 1, ONE, story->pages[0], SMMUV3_READ_WRITE);
	guest_map(driver, 2, ONE, story->pages[0], SMMUV3_READ_WRITE);
	guest_drop(driver, 1, ONE);
	story_step(story,
	           guest_sync(driver) && arrives(story, 1, ONE, story->pages[0]) &&
	                   arrives(story, 2, ONE, story->pages[2]),
	           "what is dropped for one stays with the other");
	story_step(story,
	           guest_set_stream(driver, SMMUV3_ABORT) && arrives(story, 1, ONE, 0) &&
	                   guest_set_stream(driver, SMMUV3_TRANSLATE) &&
	                   arrives(story, 1, ONE, story->pages[0]) &&
	                   arrives(story, 2, ONE, story->pages[0]),
	           "a stream that is stopped stops all of them, and they go on with it");
}

/* The guest puts a page where the device wants one. */
static bool grant(struct story *story, const uint64_t *request, uint64_t page)
{
	struct guest_driver *const driver = &story->driver;
	const uint64_t iova = request[1] & SMMU_ADDRESS;
	const uint32_t ssid = SMMU_REQUEST_SSID(request[0]);

	if (!guest_map(driver, ssid, iova, page, SMMUV3_READ_WRITE))
		return false;
	guest_drop(driver, ssid, iova);
	return guest_answer(driver, request, SMMU_SUCCESS);
}

static bool is_request(const uint64_t *request, uint32_t ssid, uint64_t iova)
{
	return SMMU_REQUEST_STREAM(request[0]) == VMM_STREAM &&
	       (request[1] & SMMU_ADDRESS) == iova && request[0] & SMMU_REQUEST_LAST &&
	       request[0] & SMMU_REQUEST_WRITE &&
	       !!(request[0] & SMMU_REQUEST_HAS_SSID) == !!ssid &&
	       SMMU_REQUEST_SSID(request[0]) == ssid;
}

static bool answers_are(uint64_t yes, uint64_t no)
{
	uint64_t said_yes, said_no;

	device_get_answers(&said_yes, &said_no);
	return said_yes == yes && said_no == no;
}

void story_page_requests(struct story *story)
{
	uint64_t first[SMMU_MOST_WORDS] = {0}, second[SMMU_MOST_WORDS] = {0};
	struct guest_driver *const driver = &story->driver;
	struct vmm *const vmm = &story->vmm;

	if (!vmm->smmu.has_pri) {
		printf("skipped: no page requests here\n");
		return;
	}
	story_step(story,
	           device_ask(vmm, 1, 7, TWO) && device_ask(vmm, 0, 7, TWO) && vmm_inject(vmm, 0) &&
	                   guest_next_request(driver, first) &&
	                   guest_next_request(driver, second) && is_request(first, 1, TWO) &&
	                   is_request(second, 0, TWO),
	           "the device asks for pages, and the guest reads that by its own numbers");
	story_step(story,
	           grant(story, second, story->pages[1]) && answers_are(1, 0) &&
	                   arrives(story, 0, TWO, story->pages[1]),
	           "the guest puts a page there, in any order, and the device is told");
	story_step(story, guest_answer(driver, first, SMMU_FAIL) && answers_are(1, 1),
	           "for the other it has none, and the device is told that too");
	story_step(story, guest_answer(driver, first, SMMU_SUCCESS) && answers_are(1, 1),
	           "a second answer to the same answers nothing");
	story_step(story,
	           device_ask(vmm, 2, 8, TWO) && vmm_inject(vmm, 0) &&
	                   guest_next_request(driver, first) && is_request(first, 2, TWO) &&
	                   vmm_outstanding(vmm) == 1 && guest_end_space(driver, 2) &&
	                   vmm_inject(vmm, 0) && !vmm_outstanding(vmm) &&
	                   guest_answer(driver, first, SMMU_SUCCESS) && answers_are(1, 1) &&
	                   arrives(story, 2, ONE, 0),
	           "an SSID that ends takes its page requests with it");
}

/* One event more than its queue holds. */
static bool overflow(struct story *story)
{
	const struct smmu_queue *const queue = &story->vmm.smmu.events;
	uint64_t event[SMMU_MOST_WORDS];
	uint32_t taken = 0;

	for (uint32_t i = 0; i <= queue->entries; i++)
		if (!guest_set_bad_stream(&story->driver))
			return false;
	while (guest_next_event(&story->driver, event))
		taken++;
	return taken == queue->entries && queue->overflows == 1;
}

void story_events(struct story *story)
{
	struct guest_driver *const driver = &story->driver;
	uint64_t event[SMMU_MOST_WORDS] = {0};
	struct vmm *const vmm = &story->vmm;

	story_step(story,
	           device_offend(vmm, THREE) && vmm_inject(vmm, A_MINUTE) &&
	                   guest_next_event(driver, event) && SMMU_STREAM(event[0]) == VMM_STREAM,
	           "the device goes where nothing is, and the guest is told by its own number");
	if (SMMU_OPCODE(event[0]) == SMMU_F_TRANSLATION)
		story_step(story, (event[2] & SMMU_ADDRESS) == THREE, "and of the address");
	story_step(story,
	           guest_map(driver, 0, THREE, story->pages[2], SMMUV3_READ_WRITE) &&
	                   arrives(story, 0, THREE, story->pages[2]),
	           "it puts a page there, and the device goes on");
	story_step(story,
	           !guest_next_event(driver, event) && !vmm->lost && !vmm->smmu.events.overflows,
	           "no event was lost");
	story_step(story, overflow(story),
	           "what finds no room in the guest's queue is lost, and the guest is told");
}
