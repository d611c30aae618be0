# shellcheck shell=sh
# What the scripts beside this one have in common. Each is run by tools/inits in a root directory of its own, with a network of
# its own, and says what it found: "ok WHAT" or "FAIL WHAT" with what was said, and "end" at last.

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
conf=/etc/gorgon/gorgon.conf
said=/tmp/said
ip link set lo up

ok() { # ok WHAT COMMAND...: it succeeds
	what=$1
	shift
	if "$@" >"$said" 2>&1; then
		echo "ok $what"
	else
		echo "FAIL $what: $? of $*"
		sed 's/^/     /' "$said"
	fi
}

no() { # no WHAT COMMAND...: it fails
	what=$1
	shift
	ok "$what" fails "$@"
}

fails() {
	if "$@"; then return 1; fi
}

says() { # says WHAT WORDS COMMAND...: it says what has these words in it
	what=$1 words=$2
	shift 2
	"$@" >"$said" 2>&1
	case $(cat "$said") in
	*"$words"*) echo "ok $what" ;;
	*)
		echo "FAIL $what: \"$words\" is not in what $* said"
		sed 's/^/     /' "$said"
		;;
	esac
}

soon() { # soon COMMAND...: it succeeds within ten seconds
	for _ in $(seq 100); do
		if "$@"; then return 0; fi
		sleep 0.1
	done
	return 1
}

get() { # get ADDRESS: what it serves has the words that are in the file
	curl -sS -m 10 --retry 20 --retry-connrefused --retry-delay 1 "http://$1" | grep -q 'a file'
}

gone() { # gone ADDRESS: nobody answers
	fails curl -sS -m 5 "http://$1"
}

# A client that takes three seconds for its reply, to be under way meanwhile.
slow_begins() {
	curl -sS -m 60 --limit-rate 10M -o /tmp/slow "http://$1/large" &
	slow=$!
	sleep 0.5
}

slow_is_whole() {
	wait "$slow" && [ "$(stat -c %s /tmp/slow)" = 30000000 ]
}

wrong() { # Makes the configuration wrong.
	echo 'this is no setting' >>"$conf"
}

right() { # Makes it right again.
	sed -i '/this is no setting/d' "$conf"
}

# What is served, and where what is said goes.
printf '[http:main]\nlisten = :80\nroot = /srv/www\n' >"$conf"
mkdir -p /srv/www
chmod 755 /srv /srv/www
echo 'a file' >/srv/www/a.txt
truncate -s 30000000 /srv/www/large
