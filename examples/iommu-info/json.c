/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The keys are documented in iommu-info(1), and stay. Numbers that need 64 bits are strings, since
 * many readers of JSON keep numbers in a double.
 */
#include "info.h"

#include <inttypes.h>

#define FORMAT 1

/* Bytes above ASCII come from no kernel, but whatever they are the output stays valid. */
static void print_string(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		const unsigned char byte = (unsigned char)*text;

		if (byte == '"' || byte == '\\')
			fprintf(out, "\\%c", byte);
		else if (byte < ' ' || byte > '~')
			fprintf(out, "\\u%04x", byte);
		else
			fputc(byte, out);
	}
	fputc('"', out);
}

static void print_string_or_null(FILE *out, const char *text)
{
	if (text && text[0])
		print_string(out, text);
	else
		fprintf(out, "null");
}

static void print_features(const struct info *info, FILE *out)
{
	fprintf(out, "  \"features\": [");
	for (size_t i = 0; i < info->feature_count; i++) {
		const int present = info->features[i];

		fprintf(out, "%s\n    {\"name\": ", i ? "," : "");
		print_string(out, libiommu_feature_name((int)i));
		fprintf(out, ", \"since\": ");
		print_string(out, libiommu_feature_kernel((int)i));
		fprintf(out, ", \"present\": %s}",
		        present < 0 ? "null"
		        : present   ? "true"
		                    : "false");
	}
	fprintf(out, "\n  ],\n");
}

static void print_hardware(const struct libiommu_hw_info *hw, FILE *out)
{
	const void *data = NULL;
	uint32_t type = 0;
	size_t length = 0;

	libiommu_hw_info_raw(hw, &type, &data, &length);
	fprintf(out, "{\n          \"type\": %" PRIu32 ", \"name\": ", type);
	print_string(out, libiommu_hw_info_type_name(type));
	fprintf(out, ", \"raw\": \"");
	for (size_t i = 0; i < length; i++)
		fprintf(out, "%02x", ((const unsigned char *)data)[i]);
	fprintf(out, "\",\n          \"capabilities\": {");
	for (size_t i = 0; i < info_capability_count; i++) {
		const struct capability *const capability = &info_capabilities[i];
		uint64_t value = 0;
		const int answer = libiommu_hw_info_capability(hw, capability->capability, &value);

		fprintf(out, "%s\n            \"%s\": {\"answer\": \"%s\"", i ? "," : "",
		        capability->key, info_answer(answer));
		if (answer == LIBIOMMU_YES && capability->has_width)
			fprintf(out, ", \"bits\": %" PRIu64, value);
		fputc('}', out);
	}
	fprintf(out, "\n          }\n        }");
}

static void print_ranges(const struct libiommu_iova_ranges *ranges, FILE *out)
{
	fprintf(out, "{\"alignment\": \"0x%" PRIx64 "\", \"ranges\": [",
	        libiommu_iova_ranges_alignment(ranges));
	for (size_t i = 0; i < libiommu_iova_ranges_count(ranges); i++) {
		struct libiommu_iova_range range = {0, 0};

		libiommu_iova_ranges_get(ranges, i, &range);
		fprintf(out,
		        "%s\n          {\"start\": \"0x%" PRIx64 "\", \"last\": \"0x%" PRIx64 "\"}",
		        i ? "," : "", range.start, range.last);
	}
	fprintf(out, "]}");
}

static void print_probe(const struct probe *probe, FILE *out)
{
	if (!probe->done) {
		fprintf(out, "null");
		return;
	}
	fprintf(out, "{\n        \"error\": ");
	print_string_or_null(out, probe->error);
	fprintf(out, ",\n        \"hardware\": ");
	if (probe->hw)
		print_hardware(probe->hw, out);
	else
		fprintf(out, "null");
	fprintf(out, ",\n        \"hardware_error\": ");
	print_string_or_null(out, probe->hw_error);
	fprintf(out, ",\n        \"iova\": ");
	if (probe->ranges)
		print_ranges(probe->ranges, out);
	else
		fprintf(out, "null");
	fprintf(out, ",\n        \"iova_error\": ");
	print_string_or_null(out, probe->iova_error);
	fprintf(out, "\n      }");
}

static void print_device(const struct info *info, size_t index, FILE *out)
{
	const struct device *const device = &info->devices[index];
	const struct libiommu_device_list *const list = info->list;
	const int obstacle = libiommu_device_list_obstacle(list, device->index);
	const int group = libiommu_device_list_group(list, device->index);
	uint32_t vendor = 0;
	uint32_t id = 0;
	uint32_t class_code = 0;

	libiommu_device_list_ids(list, device->index, &vendor, &id, &class_code);
	fprintf(out, "{\n      \"address\": ");
	print_string(out, libiommu_device_list_address(list, device->index));
	fprintf(out,
	        ",\n      \"vendor\": \"0x%04" PRIx32 "\", \"device\": \"0x%04" PRIx32
	        "\", \"class\": \"0x%06" PRIx32 "\"",
	        vendor, id, class_code);
	fprintf(out, ",\n      \"driver\": ");
	print_string_or_null(out, libiommu_device_list_driver(list, device->index));
	fprintf(out, ",\n      \"iommu\": ");
	print_string_or_null(out, libiommu_device_list_iommu(list, device->index));
	if (group < 0)
		fprintf(out, ",\n      \"group\": null");
	else
		fprintf(out, ",\n      \"group\": %d", group);
	fprintf(out, ",\n      \"node\": ");
	print_string_or_null(out, libiommu_device_list_node(list, device->index));
	fprintf(out, ",\n      \"ready\": %s,\n      \"obstacle\": ",
	        info_is_ready(info, index) ? "true" : "false");
	print_string_or_null(out, info_obstacle(obstacle));
	fprintf(out, ",\n      \"advice\": ");
	print_string_or_null(out, libiommu_device_list_advice(list, device->index));
	fprintf(out, ",\n      \"probe\": ");
	print_probe(&device->probe, out);
	fprintf(out, "\n    }");
}

void info_print_json(const struct info *info, FILE *out)
{
	fprintf(out, "{\n  \"format\": %d,\n  \"libiommu\": ", FORMAT);
	print_string(out, libiommu_version());
	fprintf(out, ",\n  \"kernel\": ");
	print_string(out, info->kernel.release);
	fprintf(out, ",\n  \"machine\": ");
	print_string(out, info->kernel.machine);
	fprintf(out,
	        ",\n  \"iommufd\": {\"opens\": %s, \"error\": ", info->iommufd ? "true" : "false");
	print_string_or_null(out, info->iommufd_error);
	fprintf(out, "},\n");
	print_features(info, out);
	fprintf(out, "  \"devices\": [");
	for (size_t i = 0; i < info->device_count; i++) {
		fprintf(out, "%s\n    ", i ? "," : "");
		print_device(info, i, out);
	}
	fprintf(out, "\n  ]\n}\n");
}
