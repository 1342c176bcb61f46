/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* How warm the controller is, and who is told when a driver takes that for too warm or too cold. */
#include <endian.h>

#include "nvme.h"

#define SENSOR(value)    ((value) >> 16 & 15)
#define IS_UNDER(value)  ((value) >> 20 & 3)
#define ALL_SENSORS      15U
#define WANTS_WARM       (1U << 1) /* of the feature that says which events are wanted */
#define EVENT_OF_HEALTH  1U
#define EVENT_IS_WARM    (1U << 8)
#define EVENT_LOG_HEALTH (2U << 16)

void emu_nvme_events_reset(struct nvme *nvme)
{
	nvme->events = (struct nvme_events){.thresholds = {NVME_WARM, 0}};
}

bool emu_nvme_is_warm(const struct nvme *nvme)
{
	return NVME_KELVIN >= nvme->events.thresholds[0] ||
	       NVME_KELVIN <= nvme->events.thresholds[1];
}

/* Of the one sensor, which is also all of them to those who set it. */
void emu_nvme_threshold(struct nvme *nvme, uint32_t value, bool set, struct nvme_answer *answer)
{
	const uint32_t which = IS_UNDER(value);

	if (which > 1 || (SENSOR(value) && !(set && SENSOR(value) == ALL_SENSORS))) {
		answer->status = NVME_INVALID_FIELD | NVME_DO_NOT_RETRY;
		return;
	}
	if (set) {
		nvme->events.thresholds[which] = value & 0xffff;
		if (emu_nvme_is_warm(nvme) && nvme->features[NVME_FEATURE_EVENTS] & WANTS_WARM)
			nvme->events.happened = true;
	}
	answer->result = nvme->events.thresholds[which];
}

uint16_t emu_nvme_event_wait(struct nvme *nvme, const struct nvme_command *command)
{
	struct nvme_events *const events = &nvme->events;

	if (events->count == NVME_EVENTS)
		return NVME_TOO_MANY_EVENTS | NVME_DO_NOT_RETRY;
	events->waiting[events->count++] = command->id;
	return NVME_NO_ANSWER;
}

/* Once, until its page of the log has been read. */
bool emu_nvme_event_take(struct nvme *nvme, struct nvme_command *command,
                         struct nvme_answer *answer)
{
	struct nvme_events *const events = &nvme->events;

	if (!events->happened || events->told || !events->count)
		return false;
	*command = (struct nvme_command){.id = events->waiting[--events->count]};
	*answer =
		(struct nvme_answer){.result = EVENT_OF_HEALTH | EVENT_IS_WARM | EVENT_LOG_HEALTH};
	events->happened = false;
	events->told = true;
	return true;
}
