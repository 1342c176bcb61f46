/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "info.h"

#include <inttypes.h>
#include <string.h>

#define LINE_WIDTH 98

/* A text of several words, each line after the first beginning at the same column. */
static void print_wrapped(FILE *out, int indent, const char *text)
{
	int column = indent;

	while (*text) {
		const int length = (int)strcspn(text, " ");

		if (column > indent && column + 1 + length > LINE_WIDTH) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', out);
			column++;
		}
		fprintf(out, "%.*s", length, text);
		column += length;
		text += length;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

static const char *or_dash(const char *text)
{
	return text[0] ? text : "-";
}

static int width_of(const struct info *info, const char *title,
                    const char *(*get)(const struct libiommu_device_list *, size_t))
{
	size_t width = strlen(title);

	for (size_t i = 0; i < info->device_count; i++) {
		const size_t length = strlen(get(info->list, info->devices[i].index));

		width = length > width ? length : width;
	}
	return (int)width;
}

static const char *advice_of(const struct info *info, size_t device)
{
	return libiommu_device_list_advice(info->list, info->devices[device].index);
}

/* That bridges are left alone needs no advice. */
static bool has_note(const struct info *info, size_t device)
{
	const int obstacle = libiommu_device_list_obstacle(info->list, info->devices[device].index);

	return obstacle != LIBIOMMU_OBSTACLE_NONE && obstacle != LIBIOMMU_OBSTACLE_BRIDGE;
}

/* The first device with the same advice: whole machines share one. */
static size_t first_alike(const struct info *info, size_t device)
{
	size_t first = 0;

	while (!has_note(info, first) || strcmp(advice_of(info, first), advice_of(info, device)))
		first++;
	return first;
}

static unsigned int note_number(const struct info *info, size_t device)
{
	const size_t first = first_alike(info, device);
	unsigned int number = 1;

	for (size_t i = 0; i < first; i++)
		number += has_note(info, i) && first_alike(info, i) == i;
	return number;
}

static void print_features(const struct info *info, FILE *out)
{
	fprintf(out, "\nKernel features                  here     since\n");
	for (size_t i = 0; i < info->feature_count; i++)
		fprintf(out, "  %-30s %-8s %s\n", libiommu_feature_name((int)i),
		        info_presence(info->features[i]), libiommu_feature_kernel((int)i));
}

static void print_device(const struct info *info, size_t device, int address_width,
                         int driver_width, int iommu_width, FILE *out)
{
	const struct libiommu_device_list *const list = info->list;
	const size_t index = info->devices[device].index;
	const char *const obstacle = info_obstacle(libiommu_device_list_obstacle(list, index));
	const int group = libiommu_device_list_group(list, index);
	char group_text[16] = "-";
	uint32_t vendor = 0;
	uint32_t id = 0;
	uint32_t class_code = 0;

	if (group >= 0)
		snprintf(group_text, sizeof(group_text), "%d", group);
	libiommu_device_list_ids(list, index, &vendor, &id, &class_code);
	fprintf(out, "  %-*s  %04" PRIx32 ":%04" PRIx32 "  %06" PRIx32 "  %-*s  %-5s  %-*s  ",
	        address_width, libiommu_device_list_address(list, index), vendor, id, class_code,
	        driver_width, or_dash(libiommu_device_list_driver(list, index)), group_text,
	        iommu_width, or_dash(libiommu_device_list_iommu(list, index)));
	if (!obstacle && !libiommu_device_list_node(list, index)[0])
		fprintf(out, "ready: by its group\n");
	else if (!obstacle)
		fprintf(out, "ready: %s\n", libiommu_device_list_node(list, index));
	else if (has_note(info, device))
		fprintf(out, "%s [%u]\n", obstacle, note_number(info, device));
	else
		fprintf(out, "%s\n", obstacle);
}

static void print_devices(const struct info *info, FILE *out)
{
	const int address = width_of(info, "address", libiommu_device_list_address);
	const int driver = width_of(info, "driver", libiommu_device_list_driver);
	const int iommu = width_of(info, "iommu", libiommu_device_list_iommu);

	fprintf(out, "\nPCI devices\n");
	if (!info->device_count) {
		fprintf(out, "  none\n");
		return;
	}
	fprintf(out, "  %-*s  %-9s  %-6s  %-*s  %-5s  %-*s  %s\n", address, "address", "id",
	        "class", driver, "driver", "group", iommu, "iommu", "for a process");
	for (size_t i = 0; i < info->device_count; i++)
		print_device(info, i, address, driver, iommu, out);
	for (size_t i = 0; i < info->device_count; i++) {
		if (!has_note(info, i) || first_alike(info, i) != i)
			continue;
		fprintf(out, "  [%u] ", note_number(info, i));
		print_wrapped(out, 6, advice_of(info, i));
	}
}

static void print_hardware(const struct probe *probe, FILE *out)
{
	const void *data;
	uint32_t type = 0;
	size_t length;

	libiommu_hw_info_raw(probe->hw, &type, &data, &length);
	fprintf(out, "    %-20s %s\n", "IOMMU", libiommu_hw_info_type_name(type));
	for (size_t i = 0; i < info_capability_count; i++) {
		const struct capability *const capability = &info_capabilities[i];
		uint64_t value = 0;
		const int answer =
			libiommu_hw_info_capability(probe->hw, capability->capability, &value);

		if (answer == LIBIOMMU_YES && capability->has_width)
			fprintf(out, "    %-20s %" PRIu64 " bits\n", capability->name, value);
		else
			fprintf(out, "    %-20s %s\n", capability->name, info_answer(answer));
	}
}

static void print_ranges(const struct probe *probe, FILE *out)
{
	const char *title = "IOVA ranges";

	for (size_t i = 0; i < libiommu_iova_ranges_count(probe->ranges); i++) {
		struct libiommu_iova_range range = {0, 0};

		libiommu_iova_ranges_get(probe->ranges, i, &range);
		fprintf(out, "    %-20s 0x%" PRIx64 " - 0x%" PRIx64 "\n", title, range.start,
		        range.last);
		title = "";
	}
	fprintf(out, "    %-20s %" PRIu64 " bytes\n", "IOVA alignment",
	        libiommu_iova_ranges_alignment(probe->ranges));
}

static void print_error(const char *title, const char *error, FILE *out)
{
	if (!error[0])
		return;
	fprintf(out, "    %-20s ", title);
	print_wrapped(out, 25, error);
}

static void print_probe(const char *address, const struct probe *probe, FILE *out)
{
	fprintf(out, "\n  %s\n", address);
	print_error("not opened", probe->error, out);
	if (probe->hw)
		print_hardware(probe, out);
	print_error("IOMMU", probe->hw_error, out);
	if (probe->ranges)
		print_ranges(probe, out);
	print_error("IOVA ranges", probe->iova_error, out);
}

static void print_probes(const struct info *info, FILE *out)
{
	size_t ready = 0;
	size_t done = 0;

	for (size_t i = 0; i < info->device_count; i++) {
		ready += info_is_ready(info, i);
		done += info->devices[i].probe.done;
	}
	if (ready && !info->probed)
		fprintf(out, "\n--probe opens the devices that are ready, and shows what the IOMMU "
		             "behind each can do.\n");
	if (info->probed && !done)
		fprintf(out, "\nNo device to probe: %s.\n",
		        ready ? "/dev/iommu does not open" : "none is ready");
	if (done)
		fprintf(out, "\nProbed devices\n");
	for (size_t i = 0; i < info->device_count; i++)
		if (info->devices[i].probe.done)
			print_probe(
				libiommu_device_list_address(info->list, info->devices[i].index),
				&info->devices[i].probe, out);
}

void info_print_table(const struct info *info, FILE *out)
{
	fprintf(out, "libiommu     %s\n", libiommu_version());
	fprintf(out, "Kernel       %s %s\n", info->kernel.release, info->kernel.machine);
	fprintf(out, "/dev/iommu   ");
	print_wrapped(out, 13, info->iommufd ? "opens" : info->iommufd_error);
	if (info->iommufd)
		print_features(info, out);
	else if (!info->legacy)
		fprintf(out, "\nKernel features: not known while /dev/iommu does not open.\n");
	print_devices(info, out);
	print_probes(info, out);
}
