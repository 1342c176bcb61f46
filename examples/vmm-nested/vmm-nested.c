/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A VMM's virtual IOMMU, from end to end: a device behind an SMMUv3 that a guest sees as its own.
 * guest.c is the guest, and story.c what happens; all the rest is what a VMM needs.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "story.h"

enum { EXIT_USAGE = 2 };

static const char usage[] =
	"Usage: vmm-nested DEVICE\n"
	"\n"
	"Gives the device, QEMU's edu behind an SMMUv3, to a guest that this program\n"
	"plays too: nested page tables, invalidation commands, events. DEVICE is its PCI\n"
	"address, 0000:02:00.0 for example. The device must be with vfio-pci.\n"
	"\n"
	"Exit status: 0 if all went as it must; 1 if not; 2 wrong usage.\n";

static void tell(struct story *story)
{
	printf("guest: %d KiB at %#x, device %#x\n", VMM_SIZE / 1024, VMM_ADDRESS, VMM_STREAM);
	story_boot(story);
	/* Nothing else can be told of a device that does not read. */
	if (story->wrong)
		return;
	story_streams(story);
	story_invalidation(story);
	story_refusals(story);
	story_pasids(story);
	story_page_requests(story);
	story_events(story);
	printf("%" PRIu64 " commands of the guest, given to the host's IOMMU in %" PRIu64
	       " times\n",
	       story->vmm.commands, story->vmm.flushes);
}

int main(int argc, char **argv)
{
	struct story story = {.driver.stream = VMM_STREAM};
	struct guest seen; /* the guest's view of its memory, of which it knows what is used */
	bool good;

	if (argc != 2 || argv[1][0] == '-') {
		fputs(usage, argc == 2 && !strcmp(argv[1], "--help") ? stdout : stderr);
		return argc == 2 && !strcmp(argv[1], "--help") ? EXIT_SUCCESS : EXIT_USAGE;
	}
	good = vmm_open(&story.vmm, argv[1]);
	if (good) {
		seen = story.vmm.memory;
		story.driver.memory = &seen;
		story.driver.smmu = &story.vmm.smmu;
		story.driver.doorbell = vmm_doorbell;
		story.driver.vmm = &story.vmm;
		tell(&story);
		device_end();
	}
	good = vmm_close(&story.vmm) && good && !story.wrong;
	puts(good ? "all as it must be" : "not all as it must be");
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
