# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The libiommu authors
# shellcheck shell=bash
#
# A private apt: packages of suites that the machine itself does not use, fetched from the mirror
# that the machine already uses. It has its own sources, lists and cache; the system's stay as they
# are.
# Needs common.sh.

# The codename of the distribution's release (bookworm, trixie, ...).
os_codename()
{
	# shellcheck source=/dev/null
	(. /etc/os-release && printf '%s\n' "${VERSION_CODENAME:-sid}")
}

# apt's index targets as "URI codename component", those of the distribution only.
apt_targets()
{
	# shellcheck disable=SC2016 # apt expands the names
	apt-get "$@" indextargets --format '$(ORIGIN)|$(REPO_URI) $(CODENAME) $(COMPONENT)' \
		'Created-By: Packages' | sed -n 's/^Debian|//p' | sort -u
}

# The same, also on a machine whose lists were never fetched or were thrown away (container images),
# without a need to be root.
apt_system_targets()
{
	local lists targets

	targets=$(apt_targets)
	if [ -z "$targets" ]; then
		lists=$(cache_dir)/apt/system-lists
		mkdir -p "$lists/partial"
		# A third party's repository may be unreachable; what matters is checked below.
		apt-get -qq -o Dir::State::Lists="$lists" -o APT::Sandbox::User=root update >&2 ||
			true
		targets=$(apt_targets -o Dir::State::Lists="$lists")
	fi
	printf '%s\n' "$targets"
}

# apt_mirror CODENAME: the mirror that serves this suite, as the machine's configuration has it.
apt_mirror()
{
	apt_system_targets |
		awk -v want="$1" '$2 == want && $3 == "main" && !found { print $1; found = 1 }'
}

# One line of sources.list. Only package indices are wanted, no translations and no icons.
apt_source_line()
{
	local keys=/usr/share/keyrings/debian-archive-keyring options=target=Packages

	if [ -e "$keys.gpg" ]; then
		options+=" signed-by=$keys.gpg"
	elif [ -e "$keys.pgp" ]; then
		options+=" signed-by=$keys.pgp"
	fi
	printf 'deb [%s] %s %s %s\n' "$options" "$@"
}

# apt_private NAME[:ARCH] SUITE...: prepare the private apt called NAME and print the path of its
# configuration, to be used as APT_CONFIG. Its packages are the machine's, or those of an
# architecture that the machine need not know. The suite "system" stands for all that the machine
# uses. A suite is taken once, however often it is named: what is newer for one release is another
# one's own. A suite that the mirror does not have is left out, and said to be. Lists are refreshed
# once a day.
apt_private()
{
	local name=${1%%:*} arch=${1#"${1%%:*}"} codename dir mirror security suite sources=""

	shift
	arch=${arch#:}
	dir=$(cache_dir)/apt/$name
	codename=$(os_codename)
	mirror=$(apt_mirror "$codename")
	[ -n "$mirror" ] || die "apt names no mirror of $codename (apt-get indextargets)"
	security=$(apt_mirror "$codename-security")
	for suite in "$@"; do
		case $suite in
		system)
			sources+=$(apt_system_targets | while read -r uri dist component; do
				apt_source_line "$uri" "$dist" "$component"
			done)$'\n'
			;;
		*-security)
			[ -z "$security" ] ||
				sources+=$(apt_source_line "$security" "$suite" main)$'\n'
			;;
		*)
			sources+=$(apt_source_line "$mirror" "$suite" main)$'\n'
			;;
		esac
	done
	sources=$(printf '%s' "$sources" | awk '!seen[$0]++')$'\n'

	mkdir -p "$dir/etc" "$dir/lists/partial" "$dir/cache/archives/partial"
	cat > "$dir/apt.conf.new" <<-END
	Dir::Etc::SourceList "$dir/etc/sources.list";
	Dir::Etc::SourceParts "/dev/null";
	Dir::State::Lists "$dir/lists";
	Dir::Cache "$dir/cache";
	APT::Sandbox::User "root";
	${arch:+APT::Architecture "$arch"; APT::Architectures { "$arch"; \};}
	END
	mv "$dir/apt.conf.new" "$dir/apt.conf"
	(
		flock 8
		if ! printf '%s' "$sources" | cmp -s - "$dir/etc/sources.list" ||
		   [ -z "$(find "$dir/updated" -mtime -1 2>/dev/null)" ]; then
			say "fetching package lists: $(printf '%s' "$sources" |
				awk '!seen[$(NF - 1)]++ { print $(NF - 1) }' | xargs)"
			printf '%s' "$sources" > "$dir/etc/sources.list"
			if APT_CONFIG=$dir/apt.conf apt-get -qq update >&2; then
				touch "$dir/updated"
			else
				say "some package lists could not be fetched; going on without"
			fi
		fi
	) 8> "$dir/lock"
	printf '%s\n' "$dir/apt.conf"
}

# apt_newest CONFIG PACKAGE: its newest version there, or nothing.
apt_newest()
{
	local best="" version

	while read -r version; do
		if [ -z "$best" ] || dpkg --compare-versions "$version" gt "$best"; then
			best=$version
		fi
	done < <(APT_CONFIG=$1 apt-cache madison "$2" 2>/dev/null | awk -F' *[|] *' '{ print $2 }')
	printf '%s' "$best"
}

# apt_fetch CONFIG PACKAGE VERSION DIRECTORY: download one package, print the path of its file.
apt_fetch()
{
	local dir=$4 file

	mkdir -p "$dir"
	(cd "$dir" && APT_CONFIG=$1 apt-get -qq download "$2=$3" >&2) || return 1
	file=$(find "$dir" -maxdepth 1 -name "$2_*.deb" | head -n 1)
	[ -n "$file" ] || return 1
	printf '%s\n' "$file"
}
