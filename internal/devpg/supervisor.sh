# Runs PostgreSQL for a process that may be killed at any moment.
#
# Standard input is a pipe whose only other end that process holds: its end means
# that the process is gone, or wants no server any more. Whatever is going on then
# is stopped, and what should not stay is removed. Output is for the process to
# read: its end says that the server is gone, down to the last backend. So this
# shell, which lives longer, lets go of it.
#
#   $1 directory, $2 "keep" or "temporary", $3 binaries,
#   $4 further argument of initdb or "", rest: arguments of postgres.
#   First line of input: the password.
umask 077
top=$1 keep=$2 bin=$3 initdb=$4
shift 4
IFS= read -r password || exit 1
made=

remove() {
	n=0
	until rm -rf "$@" || [ $n -ge 100 ]; do # a backend that is about to end may still write
		n=$((n + 1))
		sleep 0.1 || sleep 1
	done
}

finish() {
	trap '' HUP INT TERM
	ticks=0
	if [ "$!" ]; then
		while kill -0 $!; do
			case $ticks in
			400) kill -QUIT $! ;;
			600) kill -KILL $! ;;
			0 | *[02468]0) # again and again: a shell that has just been forked may lose the first
				kill -INT $!  # PostgreSQL: leave now, without waiting for clients
				kill -TERM $! # what is not PostgreSQL yet ignores INT
				;;
			esac
			ticks=$((ticks + 1))
			sleep 0.05 || sleep 1
		done
	fi
	if [ "$made" ]; then
		cd /
		remove "$top"
	elif [ "$keep" = keep ]; then
		remove "$top/new" "$top/password"
	fi
	[ $ticks -lt 600 ] || kill -KILL 0 # this group: what has lost its parent
	exit 0
}
trap finish HUP INT TERM

if [ "$keep" = temporary ]; then
	made=1
	mkdir "$top" || exit 1
fi

(
	trap 'kill -KILL $!; wait; exit 1' TERM
	if ! [ -d "$top/data" ]; then
		rm -rf "$top/new"
		printf '%s\n' "$password" >"$top/password" || exit 1
		"$bin/initdb" -D "$top/new" -U postgres -A scram-sha-256 --pwfile="$top/password" -E UTF8 --locale=C $initdb &
		wait $! || exit 1
		rm "$top/password" && mv "$top/new" "$top/data" || exit 1
	fi
	trap - TERM
	exec "$bin/postgres" -D "$top/data" "$@"
) </dev/null 3>&- &
exec >/dev/null 2>&1

while read -r password; do :; done
finish
