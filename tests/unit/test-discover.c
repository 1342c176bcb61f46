/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* That each device is listed with what sysfs says of it, and with the first obstacle in its way. */
#include "alloc.h"
#include "fake-pci.h"
#include "objects.h"
#include "paths.h"

#include <stdio.h>
#include <string.h>

#include "../../lib/object/discover.h"

#define ADDRESS "0000:01:00.0"
#define SIBLING "0000:01:00.1"
#define DEVICE  FAKE_DIR "/" ADDRESS
#define MEMBERS "/sys/kernel/iommu_groups/5/devices"

/* Ready to be used; the tests take something away. */
static const struct fake_pci ready = {
	.address = ADDRESS,
	.vendor = "0x1b36",
	.device = "0x0010",
	.class_code = "0x010802",
	.driver = "vfio-pci",
	.iommu = "dmar0",
	.group = "5",
	.vfio = "vfio0",
};

static void make_ready(void)
{
	fake_bus(ADDRESS);
	fake_pci(&ready);
	fake_group("5", ADDRESS " " SIBLING);
	fake_member_driver("5", ADDRESS, "vfio-pci");
}

static struct libiommu_device_list *list_all(void)
{
	struct libiommu_device_list *list = NULL;

	assert_int_equal(libiommu_device_list_new(script_door(), &list), 0);
	assert_int_equal(paths_open_fds(), 0);
	return list;
}

/* The only device of the machine has this in its way, and the advice has these words. */
static void assert_obstacle(enum libiommu_obstacle obstacle, const char *words)
{
	struct libiommu_device_list *const list = list_all();
	const char *advice;

	assert_int_equal(libiommu_device_list_count(list), 1);
	assert_int_equal(libiommu_device_list_obstacle(list, 0), obstacle);
	advice = libiommu_device_list_advice(list, 0);
	if (!words[0])
		assert_string_equal(advice, "");
	else if (!strstr(advice, words))
		fail_msg("\"%s\" is not in \"%s\"", words, advice);
	libiommu_device_list_free(list);
}

static void test_a_ready_device(void **state)
{
	struct libiommu_device_list *list;
	uint32_t vendor;
	uint32_t device;
	uint32_t class_code;

	(void)state;
	make_ready();
	list = list_all();
	assert_int_equal(libiommu_device_list_count(list), 1);
	assert_string_equal(libiommu_device_list_address(list, 0), ADDRESS);
	assert_string_equal(libiommu_device_list_driver(list, 0), "vfio-pci");
	assert_string_equal(libiommu_device_list_iommu(list, 0), "dmar0");
	assert_string_equal(libiommu_device_list_node(list, 0), "/dev/vfio/devices/vfio0");
	assert_int_equal(libiommu_device_list_group(list, 0), 5);
	assert_int_equal(libiommu_device_list_ids(list, 0, &vendor, &device, &class_code), 0);
	assert_int_equal(vendor, 0x1b36);
	assert_int_equal(device, 0x0010);
	assert_int_equal(class_code, 0x010802);
	assert_int_equal(libiommu_device_list_obstacle(list, 0), LIBIOMMU_OBSTACLE_NONE);
	assert_string_equal(libiommu_device_list_advice(list, 0), "");
	libiommu_device_list_free(list);
}

/* A device without an IOMMU has a node of another name, and no group where the kernel is new. */
static void test_a_device_without_an_iommu_can_be_ready(void **state)
{
	struct fake_pci device = ready;
	struct libiommu_device_list *list;

	(void)state;
	device.group = NULL;
	device.iommu = NULL;
	device.vfio = "noiommu-vfio3";
	fake_bus(ADDRESS);
	fake_pci(&device);
	list = list_all();
	assert_string_equal(libiommu_device_list_node(list, 0), "/dev/vfio/devices/noiommu-vfio3");
	assert_int_equal(libiommu_device_list_obstacle(list, 0), LIBIOMMU_OBSTACLE_NONE);
	assert_int_equal(libiommu_device_list_group(list, 0), -ENODEV);
	assert_failure(-ENODEV, LIBRARY, "libiommu_device_list_group");
	assert_string_equal(libiommu_device_list_iommu(list, 0), "");
	libiommu_device_list_free(list);
}

/* Its driver can have any name. */
static void test_a_vfio_driver_is_known_by_what_it_made(void **state)
{
	struct fake_pci device = ready;

	(void)state;
	make_ready();
	device.driver = "acme-variant";
	fake_pci(&device);
	fake_member_driver("5", ADDRESS, "acme-variant");
	path_list(MEMBERS "/" ADDRESS "/vfio-dev", "vfio0");
	assert_obstacle(LIBIOMMU_OBSTACLE_NONE, "");
}

static void test_bridges(void **state)
{
	static const char *const bridges[] = {"0x060000", "0x060100", "0x060400", "0x060700"};
	struct fake_pci device = ready;

	(void)state;
	device.vfio = NULL;
	device.driver = "pcieport";
	fake_bus(ADDRESS);
	for (size_t i = 0; i < sizeof(bridges) / sizeof(bridges[0]); i++) {
		device.class_code = bridges[i];
		fake_pci(&device);
		assert_obstacle(LIBIOMMU_OBSTACLE_BRIDGE, bridges[i]);
	}
	/* A fabric that calls itself "other bridge" is a device. */
	device.class_code = "0x068000";
	fake_pci(&device);
	assert_obstacle(LIBIOMMU_OBSTACLE_HOST_DRIVER, "driver pcieport has it");
}

static void test_no_iommu(void **state)
{
	struct fake_pci device = ready;

	(void)state;
	device.vfio = NULL;
	device.driver = "nvme";
	device.group = NULL;
	device.iommu = NULL;
	fake_bus(ADDRESS);
	fake_pci(&device);
	assert_obstacle(LIBIOMMU_OBSTACLE_NO_IOMMU, "intel_iommu=on");
	path_list("/sys/class/iommu", "");
	assert_obstacle(LIBIOMMU_OBSTACLE_NO_IOMMU, "intel_iommu=on");
	path_list("/sys/class/iommu", "dmar3");
	assert_obstacle(LIBIOMMU_OBSTACLE_NO_IOMMU, "has dmar3)");
	path_list("/sys/class/iommu", "dmar3 dmar4");
	assert_obstacle(LIBIOMMU_OBSTACLE_NO_IOMMU, "has dmar3 and others)");
	/* Nothing can be opened, although a VFIO driver has it. */
	device.driver = "vfio-pci";
	fake_pci(&device);
	assert_obstacle(LIBIOMMU_OBSTACLE_NO_IOMMU, "has dmar3 and others)");
}

static void test_host_driver(void **state)
{
	struct fake_pci device = ready;

	(void)state;
	device.vfio = NULL;
	device.driver = "nvme";
	fake_bus(ADDRESS);
	fake_pci(&device);
	assert_obstacle(LIBIOMMU_OBSTACLE_HOST_DRIVER,
	                "driver nvme has it: write vfio-pci to " DEVICE "/driver_override, unbind "
	                "it, and write its address to /sys/bus/pci/drivers_probe");
}

static void test_no_driver(void **state)
{
	struct fake_pci device = ready;

	(void)state;
	device.vfio = NULL;
	device.driver = NULL;
	fake_bus(ADDRESS);
	fake_pci(&device);
	assert_obstacle(LIBIOMMU_OBSTACLE_NO_DRIVER,
	                "load vfio-pci, write vfio-pci to " DEVICE "/driver_override, and write "
	                "its address to /sys/bus/pci/drivers_probe");
}

static void test_group_sibling(void **state)
{
	static const char *const sharing[] = {"vfio-pci", "mlx5_vfio_pci", "pci-stub", "pcieport"};

	(void)state;
	make_ready();
	assert_obstacle(LIBIOMMU_OBSTACLE_NONE, "");
	for (size_t i = 0; i < sizeof(sharing) / sizeof(sharing[0]); i++) {
		fake_member_driver("5", SIBLING, sharing[i]);
		assert_obstacle(LIBIOMMU_OBSTACLE_NONE, "");
	}
	fake_member_driver("5", SIBLING, "snd_hda_intel");
	assert_obstacle(LIBIOMMU_OBSTACLE_GROUP_SIBLING,
	                SIBLING " of the same group (5) has driver snd_hda_intel");
	/* A VFIO driver of another name. */
	path_list(MEMBERS "/" SIBLING "/vfio-dev", "vfio1");
	assert_obstacle(LIBIOMMU_OBSTACLE_NONE, "");
	/* A group that vanishes while it is looked at has nobody in it. */
	path_remove(MEMBERS);
	assert_obstacle(LIBIOMMU_OBSTACLE_NONE, "");
}

static void test_no_node(void **state)
{
	struct fake_pci device = ready;
	struct libiommu_device_list *list;

	(void)state;
	device.no_node = 1;
	fake_bus(ADDRESS);
	fake_pci(&device);
	assert_obstacle(LIBIOMMU_OBSTACLE_NO_NODE, "vfio-pci has it but made no device node");
	assert_obstacle(LIBIOMMU_OBSTACLE_NO_NODE, "by its group, /dev/vfio/5");
	list = list_all();
	assert_string_equal(libiommu_device_list_node(list, 0), "");
	libiommu_device_list_free(list);
	/* A group of the IOMMU can have a name too. */
	path_text("/sys/kernel/iommu_groups/5/name", "acme\n");
	assert_obstacle(LIBIOMMU_OBSTACLE_NO_NODE, "by its group, /dev/vfio/5");
	path_text("/sys/kernel/iommu_groups/5/name", "vfio-noiommu\n");
	assert_obstacle(LIBIOMMU_OBSTACLE_NO_NODE, "by its group, /dev/vfio/noiommu-5");
	path_error("/sys/kernel/iommu_groups/5/name", -EMFILE);
	list = NULL;
	assert_int_equal(libiommu_device_list_new(script_door(), &list), -EMFILE);
	assert_null(list);
}

/* Where there are containers, and no iommufd, the group is as good as a node. */
static void test_a_system_without_iommufd(void **state)
{
	struct fake_pci device = ready;
	struct libiommu_device_list *list = NULL;

	(void)state;
	device.no_node = 1;
	fake_bus(ADDRESS);
	fake_pci(&device);
	path_link("/sys/class/misc/vfio/subsystem", "../../../../class/misc");
	assert_obstacle(LIBIOMMU_OBSTACLE_NONE, "");
	path_link("/sys/class/misc/iommu/subsystem", "../../../../class/misc");
	assert_obstacle(LIBIOMMU_OBSTACLE_NO_NODE, "by its group");
	path_error("/sys/class/misc/vfio/subsystem", -EMFILE);
	assert_int_equal(libiommu_device_list_new(script_door(), &list), -EMFILE);
	path_error("/sys/class/misc/iommu/subsystem", -EMFILE);
	assert_int_equal(libiommu_device_list_new(script_door(), &list), -EMFILE);
	assert_null(list);
}

/* Before Linux 6.1 such a driver makes nothing below the device. */
static void test_an_old_kernel(void **state)
{
	struct fake_pci device = ready;

	(void)state;
	device.vfio = NULL;
	fake_bus(ADDRESS);
	fake_pci(&device);
	assert_obstacle(LIBIOMMU_OBSTACLE_NO_NODE, "vfio-pci");
}

static void test_other_buses(void **state)
{
	struct discover_facts facts;
	static const char dir[] = "/sys/bus/platform/devices/a0003e00.dma";

	(void)state;
	path_link("/sys/bus/platform/devices/a0003e00.dma/subsystem", "../../bus/platform");
	path_link("/sys/bus/platform/devices/a0003e00.dma/iommu_group",
	          "../../kernel/iommu_groups/5");
	assert_int_equal(li_discover_examine(script_door(), dir, &facts), 0);
	assert_int_equal(facts.obstacle, LIBIOMMU_OBSTACLE_NO_DRIVER);
	assert_non_null(strstr(facts.advice, "a VFIO driver of its bus, platform"));
	path_link("/sys/bus/platform/devices/a0003e00.dma/driver", "../../drivers/pl330");
	assert_int_equal(li_discover_examine(script_door(), dir, &facts), 0);
	assert_int_equal(facts.obstacle, LIBIOMMU_OBSTACLE_HOST_DRIVER);
	assert_non_null(strstr(facts.advice, "driver pl330 has it"));
	path_list("/sys/bus/platform/devices/a0003e00.dma/vfio-dev", "vfio4");
	path_text("/sys/bus/platform/devices/a0003e00.dma/vfio-dev/vfio4/dev", "511:4\n");
	assert_int_equal(li_discover_examine(script_door(), dir, &facts), 0);
	assert_int_equal(facts.obstacle, LIBIOMMU_OBSTACLE_NONE);
	assert_string_equal(facts.node, "/dev/vfio/devices/vfio4");
}

static void test_ascending_addresses(void **state)
{
	static const char *const sorted[] = {"0000:00:02.0",  "0000:00:10.0", "0000:00:10.7",
	                                     "0000:0a:00.0",  "0001:00:00.0", "ffff:00:00.0",
	                                     "10000:00:00.0", "neither",      "nor"};
	struct libiommu_device_list *list;

	(void)state;
	for (size_t i = 0; i < sizeof(sorted) / sizeof(sorted[0]); i++)
		fake_pci(&(const struct fake_pci){.address = sorted[i]});
	fake_bus("nor neither 10000:00:00.0 0000:0a:00.0 ffff:00:00.0 0000:00:10.7 0000:00:02.0 "
	         "0001:00:00.0 0000:00:10.0");
	list = list_all();
	assert_int_equal(libiommu_device_list_count(list), sizeof(sorted) / sizeof(sorted[0]));
	for (size_t i = 0; i < sizeof(sorted) / sizeof(sorted[0]); i++)
		assert_string_equal(libiommu_device_list_address(list, i), sorted[i]);
	libiommu_device_list_free(list);
}

static void test_no_pci(void **state)
{
	struct libiommu_device_list *list = list_all();

	(void)state;
	assert_int_equal(libiommu_device_list_count(list), 0);
	libiommu_device_list_free(list);
	fake_bus("");
	list = list_all();
	assert_int_equal(libiommu_device_list_count(list), 0);
	libiommu_device_list_free(list);
}

/* What sysfs does not say, or says in a way that cannot be understood, is left out. */
static void test_what_is_missing_stays_empty(void **state)
{
	struct libiommu_device_list *list;
	uint32_t vendor = 7;
	uint32_t device = 7;
	uint32_t class_code = 7;

	(void)state;
	fake_bus(ADDRESS);
	fake_pci(&(const struct fake_pci){
		.address = ADDRESS, .vendor = "what?", .group = "no number"});
	list = list_all();
	assert_int_equal(libiommu_device_list_ids(list, 0, &vendor, &device, &class_code), 0);
	assert_int_equal(vendor | device | class_code, 0);
	assert_string_equal(libiommu_device_list_driver(list, 0), "");
	assert_string_equal(libiommu_device_list_node(list, 0), "");
	assert_int_equal(libiommu_device_list_obstacle(list, 0), LIBIOMMU_OBSTACLE_NO_IOMMU);
	libiommu_device_list_free(list);
}

static void test_a_device_that_goes_is_left_out(void **state)
{
	struct libiommu_device_list *list;

	(void)state;
	make_ready();
	fake_bus("0000:00:09.0 " ADDRESS);
	list = list_all();
	assert_int_equal(libiommu_device_list_count(list), 1);
	assert_string_equal(libiommu_device_list_address(list, 0), ADDRESS);
	libiommu_device_list_free(list);
}

/* Better no list than one that says "no driver" because the driver could not be read. */
static void test_every_read_that_fails(void **state)
{
	static const char *const paths[] = {
		FAKE_DIR,
		DEVICE "/subsystem",
		DEVICE "/vendor",
		DEVICE "/device",
		DEVICE "/class",
		DEVICE "/driver",
		DEVICE "/iommu",
		DEVICE "/iommu_group",
		DEVICE "/vfio-dev",
		DEVICE "/vfio-dev/vfio0/dev",
		MEMBERS,
		MEMBERS "/" ADDRESS "/driver",
		MEMBERS "/" SIBLING "/driver",
	};
	struct libiommu_device_list *list = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		make_ready();
		fake_member_driver("5", SIBLING, "vfio-pci");
		path_error(paths[i], -EMFILE);
		assert_int_equal(libiommu_device_list_new(script_door(), &list), -EMFILE);
		assert_failure(-EMFILE, KERNEL, "libiommu_device_list_new");
		assert_null(list);
		assert_int_equal(paths_open_fds(), 0);
		path_remove(paths[i]);
	}
	make_ready();
	fake_member_driver("5", SIBLING, "acme");
	path_error(MEMBERS "/" SIBLING "/vfio-dev", -EMFILE);
	assert_int_equal(libiommu_device_list_new(script_door(), &list), -EMFILE);
	fake_pci(&(const struct fake_pci){.address = "0000:03:00.0"});
	fake_bus("0000:03:00.0");
	path_error("/sys/class/iommu", -EMFILE);
	assert_int_equal(libiommu_device_list_new(script_door(), &list), -EMFILE);
	assert_null(list);
}

static void test_names_that_are_too_long(void **state)
{
	char name[100];
	char dir[SYSFS_PATH_MAX];
	struct libiommu_device_list *list = NULL;
	struct discover_facts facts;

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	fake_bus(name);
	assert_int_equal(libiommu_device_list_new(script_door(), &list), -ENAMETOOLONG);
	assert_null(list);
	memset(dir, 'x', sizeof(dir) - 1);
	dir[sizeof(dir) - 1] = '\0';
	assert_int_equal(li_discover_examine(script_door(), dir, &facts), -ENAMETOOLONG);
	/* A node of a name that no kernel gives is none. */
	make_ready();
	name[60] = '\0';
	path_list(DEVICE "/vfio-dev", name);
	assert_obstacle(LIBIOMMU_OBSTACLE_NO_NODE, "made no device node");
}

static void test_no_such_directory(void **state)
{
	struct discover_facts facts = {.group = 77};

	(void)state;
	assert_int_equal(li_discover_examine(script_door(), "/sys/nowhere", &facts), -ENODEV);
	assert_int_equal(facts.group, 77);
}

static void test_wrong_arguments(void **state)
{
	struct libiommu_device_list *list;
	uint32_t id;

	(void)state;
	assert_int_equal(libiommu_device_list_new(script_door(), NULL), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_device_list_new");
	libiommu_device_list_free(NULL);
	make_ready();
	list = list_all();
	for (int wrong = 0; wrong < 2; wrong++) {
		const struct libiommu_device_list *const given = wrong ? NULL : list;

		assert_null(libiommu_device_list_address(given, 1));
		assert_null(libiommu_device_list_driver(given, 1));
		assert_null(libiommu_device_list_iommu(given, 1));
		assert_null(libiommu_device_list_node(given, 1));
		assert_null(libiommu_device_list_advice(given, 1));
		assert_int_equal(libiommu_device_list_group(given, 1), -EINVAL);
		assert_failure(-EINVAL, LIBRARY, "libiommu_device_list_group");
		assert_int_equal(libiommu_device_list_obstacle(given, 1), -EINVAL);
		assert_failure(-EINVAL, LIBRARY, "libiommu_device_list_obstacle");
		assert_int_equal(libiommu_device_list_ids(given, 1, &id, &id, &id), -EINVAL);
		assert_failure(-EINVAL, LIBRARY, "libiommu_device_list_ids");
	}
	assert_int_equal(libiommu_device_list_count(NULL), 0);
	assert_int_equal(libiommu_device_list_ids(list, 0, NULL, &id, &id), -EINVAL);
	assert_int_equal(libiommu_device_list_ids(list, 0, &id, NULL, &id), -EINVAL);
	assert_int_equal(libiommu_device_list_ids(list, 0, &id, &id, NULL), -EINVAL);
	libiommu_device_list_free(list);
}

static void member_class(const char *address, const char *class_code)
{
	char path[128];

	snprintf(path, sizeof(path), MEMBERS "/%s/class", address);
	path_text(path, class_code);
}

static bool shares(void)
{
	return li_discover_shares_group(script_door(), DEVICE);
}

static void test_whether_the_group_has_others(void **state)
{
	(void)state;
	assert_false(shares());
	make_ready();
	member_class(ADDRESS, "0x010802\n");
	member_class(SIBLING, "0x0c0330\n");
	assert_true(shares());
	assert_int_equal(paths_open_fds(), 0);
	/* Nothing of a bridge's own goes through the IOMMU, save of those that are none really. */
	member_class(SIBLING, "0x060400\n");
	assert_false(shares());
	member_class(SIBLING, "0x068000\n");
	assert_true(shares());
	fake_group("5", ADDRESS);
	assert_false(shares());
	/* Devices of other buses have no class. */
	fake_group("5", ADDRESS " soc:dma");
	assert_true(shares());
	alloc_fail_nth(1);
	assert_false(shares());
	assert_true(alloc_restore());
	path_error(MEMBERS, -EACCES);
	assert_false(shares());
	path_error(DEVICE "/iommu_group", -EACCES);
	assert_false(shares());
	path_remove(DEVICE "/iommu_group");
	assert_false(shares());
}

static void test_without_memory(void **state)
{
	struct fake_pci device = ready;

	(void)state;
	make_ready();
	fake_member_driver("5", SIBLING, "acme");
	path_list(MEMBERS "/" SIBLING "/vfio-dev", "vfio1");
	device = (struct fake_pci){.address = "0000:03:00.0"};
	fake_pci(&device);
	fake_bus(ADDRESS " 0000:03:00.0");
	ALLOC_LOOP
	{
		struct libiommu_device_list *list = NULL;

		if (ALLOC_TRY(libiommu_device_list_new(script_door(), &list)))
			assert_null(list);
		libiommu_device_list_free(list);
	}
}

/* The machine of the test itself, whatever it has. */
static void test_the_real_sysfs(void **state)
{
	struct libiommu_device_list *list = NULL;

	(void)state;
	assert_int_equal(libiommu_device_list_new(NULL, &list), 0);
	for (size_t i = 0; i < libiommu_device_list_count(list); i++) {
		const bool none = libiommu_device_list_obstacle(list, i) == LIBIOMMU_OBSTACLE_NONE;

		assert_int_equal(none, !libiommu_device_list_advice(list, i)[0]);
	}
	libiommu_device_list_free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRIPT_TEST(test_a_ready_device),
		SCRIPT_TEST(test_a_device_without_an_iommu_can_be_ready),
		SCRIPT_TEST(test_a_vfio_driver_is_known_by_what_it_made),
		SCRIPT_TEST(test_bridges),
		SCRIPT_TEST(test_no_iommu),
		SCRIPT_TEST(test_host_driver),
		SCRIPT_TEST(test_no_driver),
		SCRIPT_TEST(test_group_sibling),
		SCRIPT_TEST(test_no_node),
		SCRIPT_TEST(test_a_system_without_iommufd),
		SCRIPT_TEST(test_an_old_kernel),
		SCRIPT_TEST(test_other_buses),
		SCRIPT_TEST(test_ascending_addresses),
		SCRIPT_TEST(test_no_pci),
		SCRIPT_TEST(test_what_is_missing_stays_empty),
		SCRIPT_TEST(test_a_device_that_goes_is_left_out),
		SCRIPT_TEST(test_every_read_that_fails),
		SCRIPT_TEST(test_names_that_are_too_long),
		SCRIPT_TEST(test_no_such_directory),
		SCRIPT_TEST(test_wrong_arguments),
		SCRIPT_TEST(test_whether_the_group_has_others),
		SCRIPT_TEST(test_without_memory),
		SCRIPT_TEST(test_the_real_sysfs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
